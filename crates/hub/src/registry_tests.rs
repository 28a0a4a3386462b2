//! Model tests of the registry: random lives of a few questions, beside a reference that says in plain words what must come
//! of them. A case includes lost connections, stops, a failing store and crashes.

mod driver;
mod reference;

use proptest::prelude::*;

use countersign_model::{Scope, Verdict};

use driver::Driver;

/// What a question's agent can carry out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    /// It runs edited arguments.
    edits: bool,
    /// A stop ends its run.
    stops: bool,
    /// So many permissions it would keep.
    grants: usize,
}

/// A step of a case. `pick` chooses among the questions that were asked so far.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Ask {
        agent: usize,
        session: usize,
        request: usize,
        call: usize,
        timeout: Option<i64>,
        offer: Offer,
    },
    Answer {
        pick: usize,
        verdict: Verdict,
        scope: Scope,
        edited: bool,
        grants: Vec<u32>,
    },
    Stop(usize, usize),
    Resume(usize, usize),
    Revoke(usize),
    /// So many seconds pass, then what is due is resolved.
    Pass(i64),
    Attach(usize),
    Detach(usize),
    /// Someone who waits takes the answer to write it to the agent.
    Claim(usize),
    /// They could not write it.
    Release(usize),
    /// They wrote it.
    Deliver(usize),
    /// The store commits so many more events.
    Commit(u64),
    /// The store fails to commit.
    Fail,
    /// `kill -9` and a new start from what was committed.
    Crash,
}

fn ops() -> impl Strategy<Value = Op> {
    let pick = 0_usize..6;
    // Mostly one session, so that steps meet.
    let session = || prop_oneof![4 => Just((0_usize, 0_usize)), 1 => (0_usize..2, 0_usize..2)];
    let verdict = prop_oneof![
        4 => Just(Verdict::Approve),
        2 => Just(Verdict::Deny),
        1 => Just(Verdict::Stop),
    ];
    let scope = prop_oneof![3 => Just(Scope::Once), 1 => Just(Scope::Session), 1 => Just(Scope::Always)];
    let timeout = prop_oneof![3 => Just(None), 1 => (1_i64..100).prop_map(Some)];
    let offer = (any::<bool>(), prop::bool::weighted(0.8), 0_usize..3).prop_map(|(edits, stops, grants)| Offer {
        edits,
        stops,
        grants,
    });
    let grants = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(0_u32..3, 1..4)];
    prop_oneof![
        8 => (session(), 0_usize..3, 0_usize..2, timeout, offer).prop_map(
            |((agent, session), request, call, timeout, offer)| Op::Ask { agent, session, request, call, timeout, offer }
        ),
        8 => (pick.clone(), verdict, scope, prop::bool::weighted(0.2), grants).prop_map(
            |(pick, verdict, scope, edited, grants)| Op::Answer { pick, verdict, scope, edited, grants }
        ),
        2 => session().prop_map(|(agent, session)| Op::Stop(agent, session)),
        1 => session().prop_map(|(agent, session)| Op::Resume(agent, session)),
        1 => pick.clone().prop_map(Op::Revoke),
        3 => prop_oneof![1_i64..30, 60_i64..70].prop_map(Op::Pass),
        4 => pick.clone().prop_map(Op::Attach),
        2 => pick.clone().prop_map(Op::Detach),
        6 => pick.clone().prop_map(Op::Claim),
        2 => pick.clone().prop_map(Op::Release),
        4 => pick.prop_map(Op::Deliver),
        8 => prop_oneof![(1_u64..3), (1_u64..6)].prop_map(Op::Commit),
        2 => Just(Op::Fail),
        1 => Just(Op::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_registry_does_what_the_reference_says(ops in prop::collection::vec(ops(), 1..60)) {
        let mut driver = Driver::new();
        for op in &ops {
            driver.take(op);
        }
        driver.finish();
    }
}
