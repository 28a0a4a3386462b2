//! What the agents of today speak, as codecs without IO: the hooks of Claude Code and Codex, OpenTelemetry, and the settings
//! files through which they are connected. Connections, processes and the hub are others'.

pub mod absent;
pub mod claude;
pub mod codex;
pub mod gate;
pub mod hook;
pub mod otlp;
pub mod quirks;
pub mod settings;
pub mod versions;
