"""Runs a program in a terminal of its own and says what it shows, for agents that ask a person there.

    python terminal.py PROGRAM ARGUMENTS...

Lines of JSON in: {"type": "text", typed as it is}, {"wait": "regular expression"} which is answered with {"saw": ...} once the screen's
text since the last match shows it (white space counts as nothing, since programs draw it by moving the cursor), {"hangup": true} closes
the terminal. Lines out: those answers, and at the end {"exit": code} (a signal is its negative number). What was shown goes to standard
error when the program ends, so that a failed test shows the screen."""

import json
import os
import pty
import re
import select
import signal
import struct
import sys
import fcntl
import termios

ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?<>=!]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_].*?\x1b\\|[()#%][0-9A-Z@]|[@-Z\\-_=><78c])", re.S)
# What a program may ask its terminal, and what a plain xterm says.
QUESTIONS = [(re.compile(rb"\x1b\[0?c"), b"\x1b[?1;2c"), (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"), (re.compile(rb"\x1b\[>0?q"), b"\x1bP>|xterm(380)\x1b\\")]


def tell(what):
    print(json.dumps(what), flush=True)


def plain(raw):
    return re.sub(r"\s+", "", ESCAPES.sub(b"", raw).decode(errors="replace"))


def main():
    pid, screen = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="40")
        os.execvp(sys.argv[1], sys.argv[1:])
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    shown, since, waiting, commands, unread = b"", 0, None, b"", [screen, 0]
    while screen in unread:
        ready, _, _ = select.select(unread, [], [])
        if screen in ready:
            try:
                part = os.read(screen, 65536)
            except OSError:
                part = b""
            if not part:
                break
            for question, answer in QUESTIONS:
                for _ in question.findall(part):
                    os.write(screen, answer)
            shown += part
        if 0 in ready:
            part = os.read(0, 65536)
            if not part:
                os.kill(pid, signal.SIGHUP)
                unread.remove(0)
            *lines, commands = (commands + part).split(b"\n")
            for line in lines:
                command = json.loads(line)
                if "type" in command:
                    since = len(shown)
                    os.write(screen, command["type"].encode())
                elif "wait" in command:
                    waiting = command["wait"]
                elif "hangup" in command:
                    os.close(screen)
                    unread.remove(screen)
        if waiting and (found := re.search(re.sub(r"\s+", "", waiting), plain(shown[since:]))):
            tell({"saw": found.group()})
            waiting = None
    _, status = os.waitpid(pid, 0)
    sys.stderr.write(ESCAPES.sub(b" ", shown).decode(errors="replace"))
    tell({"exit": os.waitstatus_to_exitcode(status)})


main()
