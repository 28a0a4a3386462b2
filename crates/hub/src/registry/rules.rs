//! Rules: made by standing answers once those are committed, asked for each question, revoked by a person.

use countersign_model::{Approval, Rule, Scope, Verdict, kind, to_json};

use super::{Outbox, Record, Registry};
use crate::Change;

impl Registry {
    pub(super) fn rule_for(&self, approval: &Approval) -> Option<&Rule> {
        let fits = |rule: &&Rule| {
            rule.agent == approval.agent
                && rule.digest == approval.digest
                && rule.session.as_ref().is_none_or(|session| *session == approval.session)
        };
        // A "no" among several rules wins.
        let deny = self
            .rules
            .iter()
            .filter(fits)
            .find(|rule| rule.decision != Verdict::Approve);
        deny.or_else(|| self.rules.iter().find(fits))
    }

    /// A standing answer becomes a rule once it is committed.
    pub(super) fn make_rule(&mut self, approval: &Approval, out: &mut Outbox) {
        let Some(decision) = &approval.decision else { return };
        if decision.scope == Scope::Once || decision.decision == Verdict::Stop {
            return;
        }
        let rule = Rule {
            id: format!("rule-{}", approval.id).into(),
            agent: approval.agent.clone(),
            session: (decision.scope == Scope::Session).then(|| approval.session.clone()),
            tool_name: approval.tool_name.clone(),
            digest: approval.digest.clone(),
            decision: decision.decision,
            approval: approval.id.clone(),
            created_at: decision.at,
        };
        if self.rules.iter().any(|known| known.id == rule.id) {
            return;
        }
        self.rules.push(rule.clone());
        let data = to_json(&serde_json::json!({ "rule": &rule }));
        out.push(Record::of_hub(
            &approval.agent,
            rule.session.clone().as_ref(),
            kind::RULE_CREATED,
            data,
            vec![Change::RuleCreated(rule)],
        ));
    }

    /// Revokes a rule.
    pub(crate) fn revoke(&mut self, id: &str, out: &mut Outbox) -> Option<Rule> {
        let place = self.rules.iter().position(|rule| *rule.id == *id)?;
        let rule = self.rules.remove(place);
        out.push(Record::of_hub(
            &rule.agent,
            rule.session.as_ref(),
            kind::RULE_REVOKED,
            to_json(&serde_json::json!({ "rule": &rule })),
            vec![Change::RuleRevoked(rule.id.clone())],
        ));
        Some(rule)
    }
}
