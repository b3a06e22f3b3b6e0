"""The lab: tasks and hints on the left; brief, endpoints, wire, devices and mimic on the right; its host may come and go."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import DataTable, OptionList, Static, TabPane

from labsim.client.client import LabClient
from labsim.client.records import Lab, TaskOutcome, Verdict
from labsim.errors import ControlError
from labsim.tui.attachment import Attachment
from labsim.tui.messages import ChangeSetting, Copy, OpenSheet, ShowEntry
from labsim.tui.screens import instructor, lab_acts
from labsim.tui.screens.spoken import SpokenScreen
from labsim.tui.widgets.brief import Brief
from labsim.tui.widgets.clock import LabHeader
from labsim.tui.widgets.devices import Devices
from labsim.tui.widgets.endpoints import Endpoints
from labsim.tui.widgets.hints import HintsPanel
from labsim.tui.widgets.keybar import KeyBar
from labsim.tui.widgets.mimic import MimicView
from labsim.tui.widgets.pages import Pages
from labsim.tui.widgets.tasks import Tasks
from labsim.tui.widgets.wire import Wire
from labsim.tui.wrap import clean

TABS = ("brief", "endpoints", "wire", "devices", "mimic")
FLUSH_S = 0.1


class LabScreen(SpokenScreen[None]):
    """One running lab."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "check", "key.check"),
        Binding("C,shift+c", "check_all", "key.check-all", key_display="C"),
        Binding("h", "hint", "key.hint"),
        Binding("a", "answer", "key.answer"),
        Binding("t", "tasks", "key.tasks"),
        Binding("d", "sheet", "key.sheet"),
        Binding("y", "copy", "key.copy"),
        Binding("f", "filter", "key.filter"),
        Binding("x", "fault", "key.fault"),
        Binding("p", "pause", "key.pause"),
        Binding("p", "resume", "key.resume"),
        Binding("q", "leave", "key.leave"),
        *(Binding(str(n), f"tab('{name}')", f"tab.{name}", show=False) for n, name in enumerate(TABS, 1)),
    ]

    def __init__(self, client: LabClient, lab: Lab) -> None:
        super().__init__()
        self.client, self.lab = client, lab
        self.attachment = Attachment(client, lab.attempt)
        self.outcomes: dict[str, TaskOutcome] = {}
        self.total: Verdict | None = None
        self.lost = False

    def compose(self) -> ComposeResult:
        """Header, banner, both sides, keys."""
        yield LabHeader(id="header")
        yield Static(id="banner")
        with Horizontal(id="body"):
            with Vertical(id="side"):
                yield Tasks(id="tasks")
                yield HintsPanel(id="hints")
            with Pages(id="tabs"):
                for name, page in zip(TABS, (Brief, Endpoints, Wire, Devices, MimicView), strict=True):
                    with TabPane("", id=name):
                        yield page()
        yield KeyBar(self.lang)

    def on_mount(self) -> None:
        """Attach."""
        super().on_mount()
        self.query_one(Tasks).focus()
        self.learn(self.lab.verdict)
        self.follow()
        self.beside(self.attachment.listen, "feed")
        self.set_interval(FLUSH_S, self.flush)

    # ---- what the host tells ----

    @work(exclusive=True, group="states")
    async def follow(self) -> None:
        """Show the lab again and again, in the language of the moment, until the screen closes."""
        async for state in self.attachment.states(self.lang):
            if self.gone:
                return
            if isinstance(state, ControlError):
                self.show_lost()
            else:
                self.show_lab(state)

    @on(Pages.TabActivated)
    def look(self) -> None:
        """Show the plant's picture for as long as its tab is open, with the whole width to itself."""
        shown = self.query_one(Pages).active == "mimic"
        self.set_class(shown, "-picture")
        if shown:
            self.picture()
        else:
            self.workers.cancel_group(self, "picture")

    @work(exclusive=True, group="picture")
    async def picture(self) -> None:
        """Draw the plant again and again, in the language of the moment."""
        self.query_one(MimicView).show(None, self.lang)
        async for mimic in self.attachment.pictures(self.lang):
            if self.gone:
                return
            self.query_one(MimicView).show(mimic, self.lang)

    def flush(self) -> None:
        """Hand what came over the feed to the wire, all at once."""
        if entries := self.attachment.take():
            self.query_one(Wire).add(entries)

    def show_lost(self) -> None:
        """Say that the host is away, once."""
        if not self.lost:
            self.lost = True
            self.warn()

    def show_lab(self, lab: Lab) -> None:
        """Draw the lab as it is now."""
        if self.lost:
            self.lost = False
            self.notify(self.say("banner.back"))
        if (lab.state, lab.mode) != (self.lab.state, self.lab.mode):
            self.call_after_refresh(self.refresh_bindings)
        self.lab = lab
        self.warn()
        if lab.state == "stopped" and lab.verdict is not None:
            self.labsim.show_verdict(lab.verdict)
            return
        self.learn(lab.verdict)
        self.draw()

    def warn(self) -> None:
        """Say below the header that the host is away, or what keeps the lab itself from going on."""
        trouble = self.say("banner.lost") if self.lost else clean(self.lab.trouble or "")
        banner = self.query_one("#banner", Static)
        banner.display = bool(trouble)
        banner.update(Content.assemble(" ! ", trouble))

    def learn(self, verdict: Verdict | None) -> None:
        """Keep the outcomes of a marking; of a task alone, those of the others stay."""
        if verdict is None:
            return
        self.outcomes.update({outcome.id: outcome for outcome in verdict.tasks})
        self.total = verdict if len(verdict.tasks) >= len(self.lab.tasks) else None

    @property
    def score(self) -> tuple[float, float]:
        """Marks so far and of all tasks."""
        whole = sum(task.marks for task in self.lab.tasks)
        if self.total is not None:
            return self.total.score, self.total.max or whole
        return sum(outcome.score for outcome in self.outcomes.values()), whole

    # ---- what it shows ----

    def speak(self) -> None:
        """Draw every word; what the host says is asked for again in the new language."""
        super().speak()
        tabs = self.query_one(Pages)
        for n, name in enumerate(TABS, 1):
            tabs.get_tab(name).label = Content(f"{n} {self.say(f'tab.{name}')}")
        self.query_one("#tasks").border_title = self.say("tasks.title")
        self.query_one(Wire).show(self.lang)
        self.warn()
        self.draw()
        self.look()
        if self.lab.lang != self.lang:
            self.follow()
            if self.outcomes:
                lab_acts.check(self, None if len(self.outcomes) > 1 else next(iter(self.outcomes)), quiet=True)

    def draw(self) -> None:
        """Draw everything that hangs on the lab."""
        self.query_one(LabHeader).show(self.lab, self.score, self.lang)
        self.query_one(Tasks).show(self.lab.tasks, self.outcomes, self.lang)
        self.query_one(Endpoints).show(self.lab, self.lang)
        self.query_one(Devices).show(self.lab, self.lang)
        self.draw_task()

    @on(OptionList.OptionHighlighted, "#tasks")
    def draw_task(self) -> None:
        """Draw what hangs on the selected task."""
        task = self.query_one(Tasks).selected
        self.query_one(HintsPanel).show(task, self.lang)
        self.query_one(Brief).show(self.lab, task, self.lang)

    # ---- what people do ----

    def action_check(self) -> None:
        """Mark the selected task so far."""
        if (task := self.query_one(Tasks).selected) is None:
            self.notify(self.say("task.none"))
        else:
            lab_acts.check(self, task.id)

    def action_check_all(self) -> None:
        """Mark all tasks so far."""
        lab_acts.check(self, None)

    def action_hint(self) -> None:
        """Open the next hint of the selected task, after asking."""
        lab_acts.hint(self, self.query_one(Tasks).selected)

    def action_answer(self) -> None:
        """Answer the question of the selected task."""
        lab_acts.answer(self, self.query_one(Tasks).selected)

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        """An instructor's keys are not there in an exam; of pausing and resuming only what can be done."""
        if action in ("fault", "pause", "resume") and self.lab.mode == "exam":
            return False
        return not {"pause": self.lab.state == "paused", "resume": self.lab.state != "paused"}.get(action, False)

    def action_fault(self) -> None:
        """Let something fail, or end it."""
        instructor.fault(self)

    def action_pause(self) -> None:
        """Freeze the plant."""
        instructor.freeze(self, self.client.pause())

    def action_resume(self) -> None:
        """Let the plant go on."""
        instructor.freeze(self, self.client.resume())

    def action_leave(self) -> None:
        """Ask how to leave."""
        lab_acts.leave(self)

    def action_sheet(self) -> None:
        """The datasheet of the selected device."""
        if self.query_one(Pages).active != "devices":
            self.action_tab("devices")
        self.query_one(Devices).open_sheet()

    def action_copy(self) -> None:
        """Copy the selected cell of the endpoints."""
        if self.query_one(Pages).active != "endpoints":
            self.action_tab("endpoints")
        self.query_one(Endpoints).copy()

    def action_filter(self) -> None:
        """The next filter of the wire."""
        if self.query_one(Pages).active != "wire":
            self.action_tab("wire")
        else:
            self.query_one(Wire).next_filter()

    def action_tab(self, name: str) -> None:
        """Go to a tab and into it."""
        self.query_one(Pages).active = name
        self.remove_class("-drawer")
        self.call_after_refresh(self._enter_tab, name)

    def _enter_tab(self, name: str) -> None:
        if self.query_one(Pages).active != name:
            return  # another tab was chosen since
        tables: dict[str, type[Widget]] = {"endpoints": DataTable, "devices": DataTable}
        pages: dict[str, type[Widget]] = {"brief": Brief, "wire": Wire, "mimic": MimicView}
        self.query_one(f"#{name}").query((tables | pages)[name]).first().focus()

    def action_tasks(self) -> None:
        """Where the tasks are a drawer (a narrow screen, the mimic) open or close it; elsewhere go to the tasks."""
        if (self.has_class("-narrow") or self.has_class("-picture")) and self.has_class("-drawer"):
            self.remove_class("-drawer")
            self.action_tab(self.query_one(Pages).active)
        else:
            self.add_class("-drawer")
            self.query_one(Tasks).focus()

    def on_copy(self, message: Copy) -> None:
        """Put it on the clipboard and say so."""
        self.app.copy_to_clipboard(message.text)
        self.notify(self.say("copied", text=message.text), markup=False)

    def on_open_sheet(self, message: OpenSheet) -> None:
        """Fetch and show a datasheet."""
        lab_acts.sheet(self, message.type)

    def on_change_setting(self, message: ChangeSetting) -> None:
        """Ask for the new value."""
        lab_acts.setting(self, message)

    def on_show_entry(self, message: ShowEntry) -> None:
        """Show it whole."""
        lab_acts.entry(self, message.entry)
