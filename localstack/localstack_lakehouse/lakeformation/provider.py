"""Lake Formation."""


class LakeFormationProvider:
    """Lake Formation."""

    delegated: frozenset[str] = frozenset()
