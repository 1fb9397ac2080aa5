"""What a person does at the desk, in a person's words."""

from dataclasses import dataclass, field

from playwright.async_api import ConsoleMessage, Error, Locator, Page, expect

from gateway.demo.sample import PASSWORD


@dataclass
class Desk:
    """One browser window with the desk in it; `complaints` gathers what its console says."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", self._broke)

    def _heard(self, message: ConsoleMessage) -> None:
        # A refused request is told by the browser itself, whatever the page makes of it.
        expected = "Failed to load resource" in message.text or "WebSocket connection" in message.text
        if message.type in ("error", "warning") and not expected:
            self.complaints.append(message.text)

    def _broke(self, error: Error) -> None:
        self.complaints.append(str(error))

    async def sign_in(self, login: str) -> None:
        """By keyboard alone: the login has the focus when the page comes up."""
        await self.page.goto(self.address)
        await expect(self.page.locator("#login")).to_be_focused()
        await self.page.keyboard.type(login)
        await self.page.keyboard.press("Tab")
        await self.page.keyboard.type(PASSWORD)
        await self.page.keyboard.press("Enter")
        await expect(self.page.get_by_role("heading", name="Начать смену")).to_be_visible()

    async def start_shift(self, login: str) -> None:
        """Sign in and be available."""
        await self.sign_in(login)
        await self.page.get_by_role("button", name="Начать смену").click()
        await expect(self.page.get_by_text("На связи").first).to_be_attached()

    async def go(self, section: str) -> None:
        """Open a section by its address, without reloading the page."""
        await self.page.evaluate("section => { location.hash = '#/' + section }", section)

    @property
    def bar(self) -> Locator:
        """The call bar."""
        return self.page.get_by_role("region", name="Звонки", exact=True)

    @property
    def tiles(self) -> Locator:
        """The calls in the call bar."""
        return self.bar.get_by_role("article")

    @property
    def rows(self) -> Locator:
        """The rows of the open list that are in the page."""
        return self.page.get_by_role("listbox").get_by_role("option")

    @property
    def note(self) -> Locator:
        """The field for a note about the client."""
        return self.page.get_by_role("textbox", name="Заметка о клиенте…")

    async def open_client(self, name: str) -> None:
        """Find somebody by Ctrl+K and open his card."""
        await self.page.keyboard.press("Control+k")
        await expect(self.page.get_by_role("combobox")).to_be_focused()
        await self.page.keyboard.type(name)
        found = self.page.get_by_role("option", name=name).first
        await expect(found).to_be_visible()
        await self.page.keyboard.press("Enter")
        await expect(self.page.get_by_role("heading", level=1, name=name)).to_be_visible()
