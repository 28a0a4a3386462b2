//! What the hub's status says of a start that did not go as it should, and what to do about it.

use std::path::Path;

use countersign_hub::Restored;
use countersign_model::Problem;

/// What the store could not read at start, and what was made of it.
pub(crate) fn unreadable(restored: &Restored, folder: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !restored.unreadable.is_empty() {
        let ids: Vec<_> = restored.unreadable.iter().map(|approval| &*approval.id).collect();
        problems.push(Problem {
            code: "unreadable_approvals".into(),
            message: format!(
                "Approvals that waited could not be read and count as cancelled: nothing of them was approved. Their rows are kept \
                 in {} (table approvals, id {}).",
                folder.join("history.sqlite").display(),
                ids.join(", ")
            ),
        });
    }
    if !restored.unreadable_rules.is_empty() {
        problems.push(Problem {
            code: "unreadable_rules".into(),
            message: format!(
                "Rules could not be read and are not in force: you are asked instead. Their rows are kept in {} (table rules, id {}).",
                folder.join("history.sqlite").display(),
                restored.unreadable_rules.join(", ")
            ),
        });
    }
    for problem in &problems {
        tracing::error!(code = problem.code, "{}", problem.message);
    }
    problems
}

/// Listening is switched off.
pub(crate) fn disabled() -> Problem {
    Problem {
        code: "disabled".into(),
        message: "Listening is switched off in the configuration (`enabled` is false), so no agent can connect. \
                  Switch it on there and start Countersign again."
            .into(),
    }
}

/// Why nobody can connect at an address, and what to do.
pub(crate) fn cannot_listen(address: std::net::SocketAddr, error: &std::io::Error) -> Problem {
    let port = address.port();
    if error.kind() == std::io::ErrorKind::AddrInUse {
        return Problem {
            code: "port_in_use".into(),
            message: format!(
                "Port {port} is in use by another program, so no agent can connect ({address}). Close that program, or choose \
                 another port: `--port {}`, or it in the address of `--listen` where that was given, or `port` in the configuration.",
                port.wrapping_add(1).max(1024)
            ),
        };
    }
    Problem {
        code: "cannot_listen".into(),
        message: format!("Countersign cannot listen on {address}: {error}. Choose another `host` or `port`."),
    }
}
