"""One person at one computer: the real window on a display of its own, seen as a
screen reader sees it (AT-SPI) and used with mouse and keys (xdotool)."""

import os
import re
import subprocess
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

LIMIT = 60  # seconds to wait for anything; the machine may be busy
WIDE, HIGH = 1280, 800


class Desk:
    def __init__(self, name, program, home, pictures, beacon):
        self.name, self.program, self.home, self.pictures = name, program, home, pictures
        self.shots = 0
        os.makedirs(home)
        read, write = os.pipe()
        self.screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{WIDE}x{HIGH}x24", "-nolisten", "tcp"],
            pass_fds=[write],
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as f:
            self.display = ":" + f.readline().strip()
        self.env = dict(
            os.environ,
            DISPLAY=self.display,
            HOME=home,
            XDG_CONFIG_HOME=home,
            XDG_DATA_HOME=home,
            INSELNETZ_DATA=os.path.join(home, "data"),
            INSELNETZ_STATE=os.path.join(home, "state"),
            LANG="de_DE.UTF-8",
            LIBGL_ALWAYS_SOFTWARE="1",
            GDK_BACKEND="x11",
        )
        self.env.pop("WAYLAND_DISPLAY", None)
        self.log = open(os.path.join(home, "log"), "w")
        self.node = subprocess.Popen(
            [program, "--loopback", "--secrets", "file", "--lang", "de", "--port", "0", "--page", "127.0.0.1:0"]
            + ["--beacon-port", str(beacon), "--syncthing-port", "-1"],
            env=self.env,
            stdout=self.log,
            stderr=self.log,
        )

    def end(self):
        for p in (self.node, self.screen):
            p.terminate()
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()

    # ---- what the screen reader sees ----

    def mine(self):
        """The processes of this computer: the node and its window."""
        pids, out = {self.node.pid}, subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True).stdout
        pairs = [tuple(map(int, line.split())) for line in out.splitlines()]
        for _ in range(3):
            pids |= {pid for pid, parent in pairs if parent in pids}
        return pids

    def all(self):
        """Everything shown, as (role, name, accessible)."""
        pids, desktop = self.mine(), Atspi.get_desktop(0)
        stack = []
        for i in range(desktop.get_child_count()):
            try:
                app = desktop.get_child_at_index(i)
                if app is not None and app.get_process_id() in pids:
                    stack.append(app)
            except GLib.Error:
                continue
        found = []
        while stack:
            node = stack.pop()
            try:
                node.clear_cache()
                found.append((node.get_role_name(), node.get_name() or "", node))
                stack.extend(c for c in (node.get_child_at_index(i) for i in reversed(range(node.get_child_count()))) if c is not None)
            except GLib.Error:
                continue  # it is gone meanwhile
        return found

    def text(self):
        """All words on the screen."""
        words = []
        for _, name, node in self.all():
            words.append(name)
            try:
                if "Text" in node.get_interfaces():
                    words.append(Atspi.Text.get_text(node, 0, -1) or "")
            except GLib.Error:
                continue
        return "\n".join(words)

    def until(self, what, is_so):
        end = time.monotonic() + LIMIT
        while True:
            got = is_so()
            if got:
                return got
            if time.monotonic() > end:
                self.shot("failed")
                raise SystemExit(f"{self.name}: waited in vain for {what}; what is shown:\n{self.text()}")
            time.sleep(0.1)  # other programs tell nobody

    def reads(self, pattern):
        return self.until(repr(pattern), lambda: re.search(pattern, self.text()))

    def find(self, name, roles):
        seen = None

        def look():
            nonlocal seen
            before, seen = seen, None
            for role, called, node in self.all():
                if role not in roles or not re.search(name, called) or not node.get_state_set().contains(Atspi.StateType.VISIBLE):
                    continue
                box = Atspi.Component.get_extents(node, Atspi.CoordType.SCREEN)
                if box.width <= 0 or box.height <= 0 or not 0 <= box.x < WIDE:
                    continue
                middle = box.y + min(box.height // 2, 30)
                if 10 <= middle <= HIGH - 10:
                    seen = (box.x + box.width // 2, middle)
                    return seen if seen == before else None  # it stands still
                self.do("mousemove", 860, 500, "click", 5 if middle > HIGH - 10 else 4)
                return None
            return None

        return self.until(f"{'/'.join(roles)} {name!r}", look)

    # ---- what the hands do ----

    def do(self, *args):
        subprocess.run(["xdotool", *map(str, args)], env=self.env, check=True)

    def click(self, name, roles=("push button", "button", "toggle button", "link", "radio button", "menu item", "page tab", "list item", "check box")):
        self.do("mousemove", *self.find(name, roles), "click", 1)

    def write(self, name, text):
        self.click(name, ("entry", "text", "paragraph", "section"))
        self.type(text)

    def type(self, text):
        self.do("type", "--delay", 15, text)

    def key(self, *keys):
        self.do("key", "--delay", 30, *keys)

    def shot(self, what):
        self.shots += 1
        path = os.path.join(self.pictures, f"{self.name}-{self.shots:02}-{what}.png")
        subprocess.run(["import", "-window", "root", path], env=self.env, check=True)

    # ---- the command line, which says what is so ----

    def cli(self, *args):
        out = subprocess.run([self.program, *args], env=self.env, capture_output=True, text=True)
        return out.stdout
