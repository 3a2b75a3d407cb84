"""The few errors that cross a layer."""


class DomainError(Exception):
    """A rule of the product refused a request. The text is one sentence a person can act on."""


class GatewayError(Exception):
    """An outside system did not do what was asked.

    Args:
        message: one sentence for a person; never holds a secret or a body.
        permanent: True when trying again cannot help (a wrong number, a refused login).
        retry_after: seconds the other side asked us to wait, where it said so.
        maybe_done: True when the other side may have carried the request out (time-out after it was sent).
        code: the provider's own error code, for the page and for lookups.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        maybe_done: bool = False,
        code: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.retry_after = retry_after
        self.maybe_done = maybe_done
        self.code = code
