"""Partitions and the regions in which calls of services that are not regional are recorded (facts 9, 10 and 16)."""

_PARTITIONS = {
    # partition: (DNS suffix, region of IAM's control plane, region of Organizations' control plane)
    "aws": ("amazonaws.com", "us-east-1", "us-east-1"),
    "aws-cn": ("amazonaws.com.cn", "cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("amazonaws.com", "us-gov-west-1", "us-gov-west-1"),
}

#: Services whose calls are recorded where IAM's control plane is.
IAM_LIKE = frozenset({"iam", "cloudfront", "route53", "shield", "globalaccelerator"})
#: Services whose calls are recorded where Organizations' control plane is.
ORGANIZATIONS_LIKE = frozenset({"organizations", "account"})
#: The one STS host that belongs to no region.
GLOBAL_STS_HOST = "sts.amazonaws.com"


def partition_of(region):
    """The partition of a region."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def dns_suffix(region):
    return _PARTITIONS[partition_of(region)][0]


def iam_region(region):
    """Region of IAM's control plane in the partition of `region`."""
    return _PARTITIONS[partition_of(region)][1]


def organizations_region(region):
    """Region of Organizations' control plane in the partition of `region`."""
    return _PARTITIONS[partition_of(region)][2]


def recorded_in(service, region, host):
    """The region whose trail and default event bus a call reaches.

    `region` is that of the signature, which for services that are not regional is whatever the client was set to; `host` is
    the endpoint that the caller meant.
    """
    if service in IAM_LIKE or (service == "sts" and host == GLOBAL_STS_HOST):
        return iam_region(region)
    if service in ORGANIZATIONS_LIKE:
        return organizations_region(region)
    return region
