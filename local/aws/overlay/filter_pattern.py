"""Filter patterns of CloudWatch Logs, as metric filters use them. Pure.

Understood are JSON patterns (`{ ($.a.b = "x*") && ($.n > 3) || $.c NOT EXISTS }`) and patterns of terms (`ERROR -debug`, `?a ?b`,
`"a phrase"`). Patterns for lines in columns (`[ip, user, ...]`) and regular expressions between percent signs are refused:
nothing here uses them, and half an implementation would count wrongly without a word.

A comparison, `!=` among them, is false for an event that lacks the field. For `!=` no source says so: do not depend on it.
"""
import functools
import json
import re

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<and>&&) | (?P<or>\|\|) | (?P<open>\() | (?P<close>\)) |
      (?P<field>\$(?:\.?\[(?:\d+|\*|'[^']*'|"[^"]*")\]|\.[A-Za-z0-9_@\#-]+|\.\*)+) |
      (?P<word>(?:NOT\s+EXISTS|IS\s+NULL|IS\s+TRUE|IS\s+FALSE)\b) |
      (?P<compare>!=|<=|>=|=|<|>) |
      (?P<text>"(?:[^"\\]|\\.)*") |
      (?P<bare>[^\s()&|"=<>!{}%\[\],]+)
    )""",
    re.VERBOSE,
)
_STEP = re.compile(r"""\.?\[(?:(\d+)|(\*)|'([^']*)'|"([^"]*)")\]|\.(\*)|\.([A-Za-z0-9_@\#-]+)""")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class InvalidPattern(ValueError):
    """CloudWatch Logs would refuse the pattern, or the emulator does not know its kind."""


@functools.lru_cache(maxsize=512)
def compile_pattern(pattern):
    """A function `(message) -> whether the pattern matches it`. Raises InvalidPattern."""
    text = pattern.strip()
    if text.startswith("["):
        raise InvalidPattern("patterns for lines in columns are not understood by the local AWS")
    if not text.startswith("{"):
        return _terms(text)
    if not text.endswith("}"):
        raise InvalidPattern("the closing brace is missing")
    test = _Parser(text[1:-1]).parse()

    def matches(message):
        event = _json(message)
        return event is not None and test(event)

    return matches


def select(expression, message):
    """The value that a field selector such as `$.latency` finds in a message, or None."""
    if not re.fullmatch(r"\$(?:" + _STEP.pattern + ")+", expression):
        return None
    event = _json(message)
    found = _values(_steps(expression), event) if event is not None else []
    return found[0] if found else None


def _json(message):
    try:
        event = json.loads(message)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


class _Parser:
    """`||` binds less than `&&`; both less than parentheses."""

    def __init__(self, text):
        self._tokens = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                raise InvalidPattern(f"not understood from here: {text[position:].strip()}")
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()

    def parse(self):
        test = self._either()
        if self._tokens:
            raise InvalidPattern(f"not understood: {self._tokens[0][1]}")
        return test

    def _take(self, *kinds):
        if self._tokens and self._tokens[0][0] in kinds:
            return self._tokens.pop(0)
        return None

    def _expect(self, *kinds):
        token = self._take(*kinds)
        if token is None:
            found = self._tokens[0][1] if self._tokens else "the end"
            raise InvalidPattern(f"{' or '.join(kinds)} expected before {found}")
        return token

    def _either(self):
        tests = [self._all()]
        while self._take("or"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda event: any(test(event) for test in tests)

    def _all(self):
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda event: all(test(event) for test in tests)

    def _one(self):
        if self._take("open"):
            test = self._either()
            self._expect("close")
            return test
        steps = _steps(self._expect("field")[1])
        kind, token = self._expect("word", "compare")
        if kind == "word":
            return _state(steps, re.sub(r"\s+", " ", token))
        kind, value = self._expect("text", "bare")
        return _comparison(steps, token, value, kind == "text")


def _steps(expression):
    steps = []
    for index, star, single, double, dotted_star, name in _STEP.findall(expression[1:]):
        steps.append(int(index) if index else "*" if star or dotted_star else ("name", single or double or name))
    return steps


def _values(steps, value):
    """All values that the steps lead to."""
    found = [value]
    for step in steps:
        following = []
        for each in found:
            if isinstance(step, int):
                following += each[step : step + 1] if isinstance(each, list) else []
            elif step == "*":
                following += each if isinstance(each, list) else each.values() if isinstance(each, dict) else []
            elif isinstance(each, dict) and step[1] in each:
                following.append(each[step[1]])
        found = following
    return found


def _state(steps, word):
    if word == "NOT EXISTS":
        return lambda event: not _values(steps, event)
    wanted = {"IS NULL": None, "IS TRUE": True, "IS FALSE": False}[word]
    return lambda event: any(value is wanted for value in _values(steps, event))


def _comparison(steps, operator, value, is_quoted):
    number = float(value) if not is_quoted and _NUMBER.fullmatch(value) else None
    if operator not in ("=", "!="):
        if number is None:
            raise InvalidPattern(f"{operator} compares with a number, not with {value}")
        tests = {
            "<": lambda found: found < number,
            "<=": lambda found: found <= number,
            ">": lambda found: found > number,
            ">=": lambda found: found >= number,
        }
        test = tests[operator]
        return lambda event: any(_is_number(found) and test(found) for found in _values(steps, event))
    text = json.loads(value) if is_quoted else value
    glob = re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL)

    def equal(found):
        if number is not None and _is_number(found):
            return found == number
        return isinstance(found, str) and glob.fullmatch(found) is not None

    if operator == "=":
        return lambda event: any(equal(found) for found in _values(steps, event))
    # A list or an object is neither equal nor unequal to a value.
    return lambda event: any(
        not equal(found) for found in _values(steps, event) if found is not None and not isinstance(found, (dict, list))
    )


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _terms(text):
    """All terms, none of those with a minus, and one of those with a question mark, if there are any."""
    if "%" in text:
        raise InvalidPattern("regular expressions are not understood by the local AWS")
    wanted, unwanted, optional = [], [], []
    for sign, phrase, word in re.findall(r'([-?]?)(?:"([^"]*)"|(\S+))', text):
        {"": wanted, "-": unwanted, "?": optional}[sign].append(phrase or word)

    def matches(message):
        return (
            all(term in message for term in wanted)
            and not any(term in message for term in unwanted)
            and (not optional or any(term in message for term in optional))
        )

    return matches
