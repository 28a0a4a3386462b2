//! The main agent's run: a test that fails now and then in a web shop. Data only.

use serde_json::json;

use super::aside;
use super::script::{CWD, Call, Step, autonomous, command, fails, gives, refused, status, system2, system3, think};

const GOAL: &str = "Find out why test_refund_is_idempotent fails now and then, and fix it";

/// The run, from beginning to end.
pub(super) fn steps() -> Vec<Step> {
    [look_around(), go_in_circles(), fix(), stay_within_bounds(), hand_over()]
        .into_iter()
        .flatten()
        .collect()
}

fn read(path: &str, seconds: f64, text: &str) -> Call {
    gives("read_file", json!({ "path": path }), seconds, text)
}

fn look_around() -> Vec<Step> {
    vec![
        autonomous("mode_started", GOAL),
        status("started", GOAL),
        think(6.0, 2_140),
        Step::Together(vec![
            gives(
                "list_directory",
                json!({ "path": ".", "depth": 2 }),
                0.4,
                json!(["app/", "app/refunds.py", "app/payments.py", "app/models.py", "migrations/", "tests/test_refunds.py", "pyproject.toml", "README.md"]),
            ),
            read("README.md", 0.3, "# shop-api\n\nOrders, payments and refunds for the shop.\n\n    make test\n"),
        ]),
        think(8.0, 1_320),
        Step::Call(read("app/refunds.py", 0.5, REFUNDS)),
        Step::Call(read("tests/test_refunds.py", 0.4, TESTS)),
        think(11.0, 3_870),
        Step::Call(
            fails(
                "execute_command",
                json!({ "command": "pytest tests/test_refunds.py -q --count 20", "cwd": CWD }),
                14.0,
                "exit code 1: 3 failed, 217 passed in 13.61s",
                Some("..........F.......\nE   AssertionError: assert 2 == 1\nE    +  where 2 = len([<Refund 41>, <Refund 42>])\ntests/test_refunds.py:27: AssertionError\n3 failed, 217 passed in 13.61s\n"),
            )
            .judged("Runs the project's own tests, writes only to a temporary database", 0.97),
        ),
        think(10.0, 2_450),
        Step::Spawn {
            suffix: "-reviewer",
            steps: aside::steps(),
        },
        Step::Call(gives(
            "search_code",
            json!({ "pattern": "idempotency_key", "path": "app" }),
            0.8,
            json!([
                { "file": "app/models.py", "line": 58, "text": "    idempotency_key = Column(String(64), nullable=False)" },
                { "file": "app/refunds.py", "line": 14, "text": "    existing = session.query(Refund).filter_by(idempotency_key=key).first()" },
            ]),
        )),
        think(8.0, 1_900),
    ]
}

fn go_in_circles() -> Vec<Step> {
    let search = || {
        gives(
            "search_code",
            json!({ "pattern": "with_for_update", "path": "app" }),
            0.7,
            json!([]),
        )
    };
    vec![
        Step::Call(search()),
        think(5.0, 900),
        Step::Call(search()),
        think(5.0, 880),
        Step::Call(search()),
        think(3.0, 870),
        Step::Call(search()),
        system2(
            "loop_detected",
            "break_loop",
            true,
            "The same search gave nothing four times; look at the database's documentation instead",
        ),
        think(10.0, 2_600),
        Step::Call(fails(
            "fetch_url",
            json!({ "url": "https://www.postgresql.org/docs/16/sql-insert.html" }),
            10.0,
            "timed out after 10 s",
            None,
        )),
        system2(
            "tool_failure",
            "retry_with_backoff",
            false,
            "fetch_url timed out; trying once more",
        ),
        think(6.0, 640),
        Step::Call(gives(
            "fetch_url",
            json!({ "url": "https://www.postgresql.org/docs/16/sql-insert.html" }),
            2.1,
            "INSERT ... ON CONFLICT DO NOTHING\n\nThe optional ON CONFLICT clause specifies an alternative action to raising a unique violation or exclusion constraint violation error. ...",
        )),
        think(13.0, 4_210),
    ]
}

fn fix() -> Vec<Step> {
    vec![
        Step::Ask {
            call: gives(
                "edit_file",
                json!({ "path": "app/refunds.py", "old_string": OLD, "new_string": NEW }),
                0.6,
                "app/refunds.py: 1 replacement",
            ),
            category: "files",
            description: "Change a file in the project",
            reason: "Two requests can both find no refund and both insert one; let the database decide",
            then: vec![
                think(5.0, 1_150),
                Step::Call(command(
                    "pytest tests/test_refunds.py -q --count 50",
                    21.0,
                    "550 passed in 20.44s\n",
                )),
            ],
            otherwise: vec![
                status("processing", "The file stays as it is; trying the change in a copy"),
                Step::Call(command(
                    "git worktree add ../shop-api-try HEAD",
                    1.2,
                    "Preparing worktree (detached HEAD 4be1c20)\n",
                )),
                Step::Call(gives(
                    "write_file",
                    json!({ "path": "../shop-api-try/refunds.patch", "content": format!("-{OLD}\n+{NEW}\n") }),
                    0.3,
                    "412 bytes written",
                )),
                Step::Call(gives(
                    "execute_command",
                    json!({ "command": "git apply refunds.patch && pytest -q --count 50", "cwd": "/home/dev/shop-api-try" }),
                    22.0,
                    "550 passed in 21.37s\n",
                )),
            ],
        },
        think(8.0, 1_480),
        Step::Together(vec![
            command("ruff check app tests", 1.9, "All checks passed!\n"),
            command("mypy app", 7.5, "Success: no issues found in 23 source files\n"),
        ]),
    ]
}

fn stay_within_bounds() -> Vec<Step> {
    vec![
        think(6.0, 1_030),
        refused(
            "read_file",
            &json!({ "path": ".env.production" }),
            "Holds production credentials, which the task does not need",
            0.98,
        ),
        system3("block_execution", "Protected file access attempt: .env.production"),
        think(5.0, 700),
        Step::Call(
            read(".env.example", 0.3, "DATABASE_URL=postgresql://localhost/shop_dev\nPAYMENTS_KEY=changeme\n")
                .judged("An example file without secrets", 0.96),
        ),
        system2(
            "token_limit_breach",
            "context_compression",
            false,
            "System 2 intervention: context_compression (31,400 tokens to 9,800)",
        ),
        think(10.0, 1_250),
        Step::Ask {
            call: gives(
                "execute_sql",
                json!({
                    "database": "staging",
                    "sql": "DELETE FROM refunds a USING refunds b\nWHERE a.id > b.id AND a.idempotency_key = b.idempotency_key;",
                }),
                3.4,
                "DELETE 17",
            ),
            category: "database",
            description: "Change data in a shared database",
            reason: "Duplicates that the fault left behind keep the unique constraint from being added",
            then: vec![],
            otherwise: vec![Step::Call(
                gives(
                    "execute_sql",
                    json!({
                        "database": "staging",
                        "sql": "SELECT count(*) FROM refunds a JOIN refunds b USING (idempotency_key) WHERE a.id > b.id;",
                    }),
                    1.1,
                    "17",
                )
                .judged("Reads only", 0.99),
            )],
        },
        think(8.0, 1_600),
    ]
}

fn hand_over() -> Vec<Step> {
    vec![
        Step::Call(gives(
            "write_file",
            json!({ "path": "CHANGELOG.md", "content": "- A refund that is asked for twice at once is made once.\n" }),
            0.4,
            "58 bytes written",
        )),
        Step::Call(command(
            "git switch -c fix/refund-race && git commit -qam 'Let the database keep refunds unique'",
            1.3,
            "Switched to a new branch 'fix/refund-race'\n",
        )),
        Step::Join,
        think(6.0, 1_090),
        Step::Ask {
            call: gives(
                "execute_command",
                json!({ "command": "git push --set-upstream origin fix/refund-race", "cwd": CWD }),
                4.2,
                "To git.example:shop/shop-api.git\n * [new branch]      fix/refund-race -> fix/refund-race\n",
            ),
            category: "publishing",
            description: "Send commits to the shared repository",
            reason: "The fix is tested and reviewed; others can look at it there",
            then: vec![Step::Call(gives(
                "create_pull_request",
                json!({ "title": "Let the database keep refunds unique", "base": "main", "head": "fix/refund-race" }),
                2.2,
                json!({ "number": 318, "url": "https://git.example/shop/shop-api/pulls/318" }),
            ))],
            otherwise: vec![Step::Call(command(
                "git format-patch main --stdout > refund-race.patch",
                0.5,
                "",
            ))],
        },
        think(5.0, 780),
        status("completed", GOAL),
        autonomous("mode_stopped", GOAL),
    ]
}

const REFUNDS: &str = "\
def refund(session, payment, key):
    existing = session.query(Refund).filter_by(idempotency_key=key).first()
    if existing:
        return existing
    made = Refund(payment=payment, idempotency_key=key)
    session.add(made)
    session.commit()
    return made
";

const TESTS: &str = "\
def test_refund_is_idempotent(client, payment):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: client.post(f'/refunds/{payment.id}', key='k1'), range(4)))
    assert len(Refund.query.all()) == 1
";

const OLD: &str = "    existing = session.query(Refund).filter_by(idempotency_key=key).first()";
const NEW: &str =
    "    session.execute(insert(Refund).values(payment_id=payment.id, idempotency_key=key).on_conflict_do_nothing())";
