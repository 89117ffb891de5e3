"""Stores that are asked by account (and region) often: each account's records are kept together.

MiniStack keeps the records of all accounts in one dictionary and looks at every one of them to list an account's, so that a
listing costs as much as the whole organization is large: 2,000 accounts of five keys make each ListAccessKeys walk 10,000
records. Here a listing costs what the account itself holds, and the owner of an access key is found without a walk.
"""
from ministack.core import iam_evaluator, responses
from ministack.services import iam, secretsmanager, stepfunctions

_STORES = (
    (iam, ("_users", "_roles", "_policies", "_access_keys", "_groups", "_login_profiles", "_mfa_devices")),
    (secretsmanager, ("_secrets",)),
    (stepfunctions, ("_executions",)),
)


class _Partitioned(dict):
    """A dictionary with keys `(account, ..., name)` that also keeps its parts, by all of the key but the name."""

    def __init__(self, entries=()):
        super().__init__()
        self.parts = {}
        #: name -> the parts that it is in.
        self.places = {}
        self.update(entries)

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        self.parts.setdefault(key[:-1], {})[key[-1]] = value
        self.places.setdefault(key[-1], set()).add(key[:-1])

    def __delitem__(self, key):
        super().__delitem__(key)
        self._forget(key)

    def _forget(self, key):
        part = self.parts[key[:-1]]
        del part[key[-1]]
        if not part:
            del self.parts[key[:-1]]
        places = self.places[key[-1]]
        places.discard(key[:-1])
        if not places:
            del self.places[key[-1]]

    def pop(self, key, *default):
        held = key in self
        value = super().pop(key, *default)
        if held:
            self._forget(key)
        return value

    def setdefault(self, key, default=None):
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, entries=()):
        for key, value in dict(entries).items():
            self[key] = value

    def clear(self):
        super().clear()
        self.parts.clear()
        self.places.clear()


def install():
    for kind in (responses.AccountScopedDict, responses.AccountRegionScopedDict):
        _patch(kind)
    for module, names in _STORES:
        for name in names:
            store = getattr(module, name)
            store._data = _Partitioned(store._data)
    _find_owner_by_index()


def _patch(kind):
    """Lets the methods that list one account's records take them from their part, in stores that have parts."""
    regional = kind is responses.AccountRegionScopedDict

    def part(self):
        data = self._data
        if not isinstance(data, _Partitioned):
            return None
        prefix = self._prefix()
        return data.parts.get(prefix if regional else (prefix,), {})

    def choose(name, of_part):
        whole = getattr(kind, name)

        def method(self, *args):
            own = part(self)
            return whole(self, *args) if own is None else of_part(own)

        setattr(kind, name, method)

    # Copies, as MiniStack's are: a caller may change the store while it walks.
    choose("keys", lambda own: list(own))
    choose("values", lambda own: list(own.values()))
    choose("items", lambda own: list(own.items()))
    choose("__iter__", lambda own: iter(list(own)))
    choose("__len__", len)
    choose("__bool__", bool)
    if regional:
        _patch_scoped(kind, "items_scoped", lambda own: list(own.items()))
        _patch_scoped(kind, "values_scoped", lambda own: list(own.values()))


def _patch_scoped(kind, name, of_part):
    whole = getattr(kind, name)

    def method(self, account, region):
        data = self._data
        if not isinstance(data, _Partitioned):
            return whole(self, account, region)
        return of_part(data.parts.get((account, region), {}))

    setattr(kind, name, method)


def _find_owner_by_index():
    def find(access_key_id):
        from ministack.services import sts

        if iam_evaluator.is_root_access_key(access_key_id) or access_key_id in sts._sessions:
            return None
        places = iam._access_keys._data.places.get(access_key_id, ())
        if len(places) > 1:
            raise iam_evaluator.AmbiguousAccessKeyError(access_key_id)
        return next(iter(places))[0] if places else None

    import ministack.app as ministack_app
    from ministack.services import s3, sts

    for module in (iam_evaluator, ministack_app, s3, sts):
        module.find_iam_access_key_account = find
