//! The second agent's run: a review of the tests, at the same time. Data only.

use serde_json::json;

use super::script::{CWD, Step, command, fails, gives, status, think};

const TASK: &str = "Review the tests around refunds";

/// The run, from beginning to end.
pub(super) fn steps() -> Vec<Step> {
    vec![
        status("started", TASK),
        think(5.0, 1_210),
        Step::Together(vec![
            gives(
                "search_code",
                json!({ "pattern": "def test_", "path": "tests" }),
                0.9,
                json!({ "matches": 214, "files": 31 }),
            ),
            command(
                "git log --oneline -5 -- tests/test_refunds.py",
                0.4,
                "4be1c20 Run the refund test with threads\n91f02aa Add refunds\n",
            ),
        ]),
        think(14.0, 2_330),
        Step::Call(
            gives(
                "execute_code",
                json!({ "code": "import collections, subprocess\nruns = [subprocess.run(['pytest', '-q', 'tests/test_refunds.py'], capture_output=True).returncode for _ in range(12)]\nprint(collections.Counter(runs))" }),
                24.0,
                "Counter({0: 10, 1: 2})\n",
            )
            .judged("Runs tests in a subprocess, no network", 0.93),
        ),
        think(10.0, 1_760),
        Step::Ask {
            call: gives(
                "execute_command",
                json!({ "command": "pip install hypothesis==6.155.7", "cwd": CWD }),
                8.5,
                "Successfully installed hypothesis-6.155.7 sortedcontainers-2.4.0\n",
            ),
            category: "packages",
            description: "Install a package from PyPI",
            reason: "Generated request orders would find races that examples miss",
            then: vec![Step::Call(fails(
                "execute_command",
                json!({ "command": "pytest tests/test_refunds_property.py -q", "cwd": CWD }),
                11.0,
                "exit code 1: 1 failed in 10.12s",
                Some("Falsifying example: test_any_order(orders=['k1', 'k1'])\n1 failed in 10.12s\n"),
            ))],
            otherwise: vec![Step::Call(command(
                "python tests/shuffle_orders.py --seed 7",
                6.0,
                "order ['k1', 'k1'] makes 2 refunds\n",
            ))],
        },
        think(11.0, 2_020),
        Step::Call(gives(
            "write_file",
            json!({ "path": "tests/test_refunds_race.py", "content": "def test_two_at_once(client, payment):\n    ...\n" }),
            0.4,
            "48 bytes written",
        )),
        status("completed", TASK),
    ]
}
