//! The MCP server's handler: one for each session of a client. It waits with its client as long as a person takes, says now and then
//! that it still waits, and takes a question back that nobody waits for.

use std::time::Duration;

use countersign_hub::random_hex;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, Implementation, ListToolsResult, PaginatedRequestParams,
    ProgressNotificationParam, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use tokio::time::Instant;

use super::calls::{self, Call};
use super::desk::{Desk, Note, Question};
use super::{answers, tools};
use crate::VERSION;

/// How often a client that wants to know is told that a person still thinks. Clients give up after a minute or so without a word.
const PROGRESS: Duration = Duration::from_secs(5);

/// Countersign's tools, with a way to a hub.
#[derive(Clone, Debug)]
pub struct Handler<D> {
    desk: D,
}

impl<D: Desk> Handler<D> {
    /// Tools that ask through `desk`.
    pub fn new(desk: D) -> Self {
        Self { desk }
    }

    async fn ask(&self, tool: &str, question: Question, context: &RequestContext<RoleServer>) -> CallToolResult {
        let asked = question.clone();
        let asking = self.desk.ask(question, &context.extensions);
        let thinking = async {
            let Some(token) = context.meta.get_progress_token() else {
                return std::future::pending().await;
            };
            let begun = Instant::now();
            let mut turn = tokio::time::interval(PROGRESS);
            loop {
                turn.tick().await;
                let progress = ProgressNotificationParam::new(token.clone(), begun.elapsed().as_secs_f64())
                    .with_message("waiting for a person's answer");
                if context.peer.notify_progress(progress).await.is_err() {
                    return std::future::pending().await;
                }
            }
        };
        tokio::select! {
            biased;
            answer = asking => match answer {
                Ok(approval) => answers::decided(tool, &asked, &approval),
                Err(trouble) => trouble.into(),
            },
            () = context.ct.cancelled() => answers::failed("cancelled: the question was taken back"),
            () = self.desk.gone(&context.extensions) => answers::failed("nobody waits for the answer: the question was taken back"),
            () = thinking => answers::failed("not answered"),
        }
    }

    async fn tell(&self, note: Note, context: &RequestContext<RoleServer>) -> CallToolResult {
        match self.desk.tell(note, &context.extensions).await {
            Ok(()) => answers::told(),
            Err(trouble) => trouble.into(),
        }
    }
}

impl<D: Desk> ServerHandler for Handler<D> {
    fn get_info(&self) -> ServerConfig {
        let mut server = Implementation::new("countersign", VERSION);
        server.title = Some("Countersign".to_owned());
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(server)
            .with_instructions(tools::INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::all().into_iter().find(|tool| tool.name == name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if self.get_tool(&request.name).is_none() {
            return Err(ErrorData::invalid_params(
                format!("Unknown tool: {}", request.name),
                None,
            ));
        }
        let client = context.peer.peer_info().map(|info| info.client_info.name.clone());
        let caller = self.desk.caller(client.as_deref(), &context.extensions);
        let given = request.arguments.unwrap_or_default();
        let result = match calls::read(&request.name, &given, caller, &random_hex(16)) {
            Ok(Call::Ask(question)) => self.ask(&request.name, *question, &context).await,
            Ok(Call::Tell(note)) => self.tell(note, &context).await,
            Err(error) => answers::failed(&error),
        };
        Ok(result.into())
    }
}
