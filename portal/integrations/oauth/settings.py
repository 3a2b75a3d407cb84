"""What signing in needs, and where each cloud is."""

from __future__ import annotations

from dataclasses import dataclass, field

MICROSOFT, GOOGLE = "microsoft", "google"
APP, CODE, DEVICE = "app", "code", "device"


@dataclass(frozen=True)
class Cloud:
    """Where a cloud signs in, where its mail is, and for which resource IMAP and SMTP tokens are made."""

    login: str
    graph: str
    outlook: str


# https://learn.microsoft.com/en-us/graph/deployments
CLOUDS = {
    "global": Cloud(
        "https://login.microsoftonline.com", "https://graph.microsoft.com", "https://outlook.office365.com"
    ),
    "us": Cloud("https://login.microsoftonline.us", "https://graph.microsoft.us", "https://outlook.office365.us"),
    "us_dod": Cloud("https://login.microsoftonline.us", "https://dod-graph.microsoft.us", "https://outlook-dod.office365.us"),
    "china": Cloud(
        "https://login.partner.microsoftonline.cn",
        "https://microsoftgraph.chinacloudapi.cn",
        "https://partner.outlook.cn",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class OAuthSettings:
    """One registered application.

    `flow` is app (the application by its own right), code (a person follows a link and pastes the answer's address
    back) or device (a person types a code elsewhere). `login_url` replaces the place to sign in, for proxies and
    tests. `protocol` is what the token is for: graph or imap.
    """

    client_id: str
    client_secret: str = field(default="", repr=False)
    provider: str = MICROSOFT
    flow: str = APP
    tenant: str = "common"
    cloud: str = "global"
    login_url: str = ""
    protocol: str = "graph"
    user: str = ""  # the mailbox: a hint for the page to sign in on
    timeout: float = 20.0

    @property
    def place(self) -> Cloud:
        """The cloud, the global one for a name we do not know."""
        return CLOUDS.get(self.cloud, CLOUDS["global"])

    @property
    def scopes(self) -> list[str]:
        """What is asked for. msal adds offline_access by itself."""
        root = self.place.graph if self.protocol == "graph" else self.place.outlook
        if self.flow == APP:
            return [f"{root}/.default"]
        rights = _GRAPH_RIGHTS if self.protocol == "graph" else ("IMAP.AccessAsUser.All", "SMTP.Send")
        return [f"{root}/{right}" for right in rights]


# Read and Send suffice: nothing in the mailbox is changed. ".Shared" is for mailboxes that somebody else signs in for.
_GRAPH_RIGHTS = ("Mail.Read", "Mail.Read.Shared", "Mail.Send", "Mail.Send.Shared")
