"""Two people at two computers, with the real windows: found, join, chat, write a
document together, drop a file. Prints how long each step took. Run by flow.sh.

flow.py PROGRAM PICTURES"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from desk import Desk

program, pictures = sys.argv[1:]
os.makedirs(pictures, exist_ok=True)
work = tempfile.mkdtemp(prefix="inselnetz-flow-")
beacon = random.randrange(20000, 30000)
begun = last = time.monotonic()


def lap(what):
    global last
    now = time.monotonic()
    print(f"{what:36} {now - last:6.1f} s", flush=True)
    last = now


def memory(desk):
    """Proportional memory of all processes of a computer's program, in MB."""
    kb = 0
    for pid in desk.mine():
        try:
            with open(f"/proc/{pid}/smaps_rollup") as f:
                kb += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M)[1])
        except OSError:
            continue  # it has ended
    return kb // 1024


def found(anke):
    anke.click("Neues Büro gründen")
    anke.write("Wie heißt Ihr Büro", "Kanzlei Petersen")
    anke.write("Wie heißen Sie", "Anke Petersen")
    anke.click("^Büro gründen")
    anke.reads("Schritt 2 von 6")
    anke.shot("kind")
    anke.click("Anlegen und weiter")
    anke.reads("Schritt 3 von 6")
    anke.shot("sheet")
    anke.click("Später erledigen")
    anke.reads("Schritt 4 von 6")
    lap("found")


def join(anke, jonas):
    anke.click("Jetzt einladen")
    anke.click("Einladung öffnen")
    anke.reads("diesen Namen wählen")
    jonas.click("^Bei „.+“ beitreten")
    jonas.write("Wie heißen Sie", "Jonas Wolf")
    jonas.write("Wie heißt dieser Computer", "")
    jonas.key("ctrl+a")
    jonas.type("Laptop Wolf")
    jonas.click("^Beitreten")
    jonas.reads("Ihre Nummer")
    # what one person reads out, the other types
    number = jonas.until("the number", lambda: re.search(r"\b(\d) ?(\d) ?(\d) ?(\d) ?(\d) ?(\d)\b", jonas.text()))
    jonas.shot("number")
    anke.reads("Noch 3 Versuche")
    anke.write("Nummer vom neuen Bildschirm", "".join(number.groups()))
    anke.click("Hereinlassen")
    jonas.reads("dieselben Wörter")
    jonas.shot("words")
    jonas.click("Ja, dieselben Wörter")
    jonas.click("^Weiter")
    jonas.reads("Sie sind dabei")
    jonas.click("Los geht")
    jonas.reads("Alles läuft")
    jonas.shot("home")
    anke.click("^Fertig")
    anke.click("^Weiter")
    anke.click("^Weiter")
    anke.reads("ist eingerichtet")
    anke.shot("done")
    anke.click("Los geht")
    anke.reads("Alles läuft")
    anke.shot("home")
    lap("join")


def chat(anke, jonas):
    for desk in (anke, jonas):
        desk.click("^Chat")
        desk.click("^Fristen")
    anke.write("Nachricht schreiben", "Kommst du um elf?")
    anke.key("Return")
    jonas.reads("Kommst du um elf")
    jonas.write("Nachricht schreiben", "Ja, ich bringe die Akte mit.")
    jonas.key("Return")
    anke.reads("Ja, ich bringe die Akte mit")
    for desk in (anke, jonas):
        desk.until("both messages", lambda: all(m in desk.cli("read", "--channel", "Fristen") for m in ("Kommst du um elf?", "Akte mit.")))
    anke.shot("chat")
    lap("chat")


def document(anke, jonas):
    for desk in (anke, jonas):
        desk.click("^Dokumente")
        desk.click("^Notfallkontakte")
        desk.reads("Notfallkontakte")
    for desk, text in ((anke, "Zuerst Anke anrufen. "), (jonas, "Dann Jonas. ")):
        desk.click("^Text", ("entry", "text", "section", "panel", "document frame"))
        desk.key("ctrl+Home")
        desk.type(text)
    for desk in (anke, jonas):
        desk.until("what both wrote", lambda: all(t in desk.cli("doc", "cat", "Notfallkontakte") for t in ("Zuerst Anke anrufen.", "Dann Jonas.")))
    anke.reads("Dann Jonas")
    anke.shot("document")
    lap("document")


def drop(anke, jonas):
    path = os.path.join(work, "Vollmacht.txt")
    with open(path, "w") as f:
        f.write("Hiermit bevollmächtige ich")
    anke.click("^Dateien")
    anke.reads("Hinzufügen")
    lying = subprocess.Popen([sys.executable, os.path.join(os.path.dirname(__file__), "drag.py"), path], env=anke.env, stdout=subprocess.PIPE, text=True)
    try:
        assert lying.stdout.readline() == "here\n"
        anke.do("mousemove", 30, 30, "mousedown", 1)
        for x in (60, 120, 250, 400, 500, 505):
            anke.do("mousemove", "--sync", x, x)
            time.sleep(0.3)  # hands are slow, and the programs agree on a drag meanwhile
        anke.shot("drag")
        anke.do("mouseup", 1)
        jonas.until("the file", lambda: "Vollmacht.txt" in jonas.cli("files", "ls"))
    finally:
        lying.terminate()
        lying.wait()
    jonas.click("^Dateien")
    jonas.reads(r"Vollmacht\.txt")
    jonas.shot("files")
    anke.shot("files")
    lap("drop a file")


def closed(anke):
    """The window goes, the program stays, and comes back where it was."""
    before = memory(anke)
    # without a window manager there is no button to close it
    window = subprocess.run(["pgrep", "-P", str(anke.node.pid), "-f", " window "], capture_output=True, text=True).stdout
    os.kill(int(window), signal.SIGTERM)
    anke.until("the window to be gone", lambda: len(anke.mine()) == 1)
    print(f"memory: {before} MB with the window, {memory(anke)} MB when it is closed")
    jonas_says = "Noch da?"
    jonas.cli("send", jonas_says)
    anke.until("a message without a window", lambda: jonas_says in anke.cli("read"))
    anke.cli()
    anke.reads("Kanzlei Petersen")
    lap("close the window, open it again")


anke = Desk("anke", program, os.path.join(work, "anke"), pictures, beacon)
jonas = Desk("jonas", program, os.path.join(work, "jonas"), pictures, beacon)
try:
    for desk in (anke, jonas):
        desk.reads("Start a new office|Neues Büro gründen")
        desk.click("^Deutsch")
        desk.reads("Willkommen")
    anke.shot("start")
    lap("two windows")
    found(anke)
    join(anke, jonas)
    chat(anke, jonas)
    document(anke, jonas)
    drop(anke, jonas)
    closed(anke)
    print(f"{'all':36} {time.monotonic() - begun:6.1f} s\npictures in {pictures}")
finally:
    anke.end()
    jonas.end()
shutil.rmtree(work)
