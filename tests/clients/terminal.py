"""Runs a program in a terminal of its own and says what it shows, for agents that ask a person there.

    python terminal.py PROGRAM ARGUMENTS...

Lines of JSON in: {"type": "text", typed as it is}; {"wait": "regular expression"}, answered with {"saw": ...} once the screen shows it,
beyond what was there when something was last typed (white space counts as nothing, since programs draw it by moving the cursor); with
"press": "key" that key is pressed twice a second until then, as a person does whose key a busy program has not taken; {"hangup": true}
closes the terminal as the end of the input does. Lines out: those answers, and at the end {"exit": code} (a signal is its negative number). What was shown goes to standard
error when the program ends, so that a failed test shows the screen."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios

ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?<>=!]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_].*?\x1b\\|[()#%][0-9A-Z@]|[@-Z\\-_=><78c])", re.S)
# What a program may ask its terminal, and what a plain xterm says.
QUESTIONS = [(re.compile(rb"\x1b\[0?c"), b"\x1b[?1;2c"), (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"), (re.compile(rb"\x1b\[>0?q"), b"\x1bP>|xterm(380)\x1b\\")]


def tell(what):
    print(json.dumps(what), flush=True)


def plain(raw):
    return re.sub(r"\s+", "", ESCAPES.sub(b"", raw).decode(errors="replace"))


def hang_up(pid, patience):
    """What a program is told whose terminal was closed; one that does not end then is ended."""
    os.kill(pid, signal.SIGHUP)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, patience)


def main():
    pid, screen = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="40")
        os.execvp(sys.argv[1], sys.argv[1:])
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    shown, since, waiting, press, commands, unread = b"", 0, None, None, b"", [screen, 0]
    while screen in unread:
        ready, _, _ = select.select(unread, [], [], 0.5 if press else None)
        if not ready:
            os.write(screen, press)
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
                unread.remove(0)
                # Whoever started this waits two seconds.
                hang_up(pid, 1.5)
            *lines, commands = (commands + part).split(b"\n")
            for line in lines:
                command = json.loads(line)
                if "type" in command:
                    since = len(shown)
                    os.write(screen, command["type"].encode())
                elif "wait" in command:
                    waiting = command["wait"]
                    press = command.get("press", "").encode()
                    if press:
                        since = len(shown)
                        os.write(screen, press)
                elif "hangup" in command:
                    hang_up(pid, 30)
        if waiting and (found := re.search(re.sub(r"\s+", "", waiting), plain(shown[since:]))):
            tell({"saw": found.group()})
            waiting = press = None
    _, status = os.waitpid(pid, 0)
    sys.stderr.write(ESCAPES.sub(b" ", shown).decode(errors="replace"))
    tell({"exit": os.waitstatus_to_exitcode(status)})


main()
