//! A blocking WebSocket client, and what it has in common with the foreign ones.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::{HeaderName, HeaderValue};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, HandshakeError, Message, WebSocket};

use crate::wait::PATIENCE;

/// What every WebSocket client can do, whoever wrote it.
pub trait Peer {
    /// Sends one text frame as it stands.
    fn send_text(&mut self, text: &str);

    /// The next text frame.
    ///
    /// # Panics
    /// When none comes, or the connection ends.
    fn text(&mut self) -> String;

    /// Waits for the connection's end; gives code and reason.
    ///
    /// # Panics
    /// When it does not come.
    fn closed(&mut self) -> (u16, String);

    /// Sends one JSON frame.
    fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string());
    }

    /// The next frame, as JSON.
    ///
    /// # Panics
    /// When none comes, or it is no JSON.
    fn next(&mut self) -> Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The next frame, which must be of this type.
    ///
    /// # Panics
    /// When it is of another one.
    fn expect(&mut self, kind: &str) -> Value {
        let frame = self.next();
        assert_eq!(frame["type"], kind, "{frame}");
        frame
    }

    /// Passes over frames until one of this type.
    fn skip_to(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next();
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Publishes with a receipt, passes over anything else, and gives the place.
    ///
    /// # Panics
    /// When the receipt is another one's.
    fn publish(&mut self, frame: &Value) -> u64 {
        let mut frame = frame.clone();
        frame["ack"] = json!("a receipt");
        self.send(&frame);
        let ack = self.skip_to("ack");
        assert_eq!(ack["ack"], "a receipt", "{ack}");
        ack["seq"].as_u64().expect("a place")
    }
}

/// Our own client.
#[derive(Debug)]
pub struct Ws {
    socket: WebSocket<TcpStream>,
}

impl Ws {
    /// Connects to `path` on 127.0.0.1.
    ///
    /// # Panics
    /// When the upgrade is refused.
    pub fn connect(port: u16, path: &str) -> Self {
        Self::try_connect(port, path, &[])
            .unwrap_or_else(|status| panic!("the upgrade to {path} was answered {status}"))
    }

    /// Connects with more headers; the status when the upgrade is refused, 0 when there was no answer.
    ///
    /// # Errors
    /// When the upgrade is refused.
    pub fn try_connect(port: u16, path: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://127.0.0.1:{port}{path}")
            .into_client_request()
            .expect("an address");
        for (name, value) in headers {
            let name: HeaderName = name.parse().expect("a name");
            request
                .headers_mut()
                .insert(name, HeaderValue::from_str(value).expect("a value"));
        }
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|_| 0_u16)?;
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        match tungstenite::client::client_with_config(request, stream, Some(config)) {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(HandshakeError::Failure(Error::Http(response))) => Err(response.status().as_u16()),
            Err(_) => Err(0),
        }
    }

    /// The next text frame; `None` when the connection ended, however it did.
    pub fn try_text(&mut self) -> Option<String> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Some(text.as_str().to_owned()),
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("nothing came in {PATIENCE:?}")
                }
                Err(_) => return None,
            }
        }
    }

    /// Sends one text frame, if the connection still takes it.
    ///
    /// # Errors
    /// When it does not.
    pub fn try_send(&mut self, frame: &Value) -> Result<(), Error> {
        self.socket.send(Message::text(frame.to_string()))
    }

    /// Hands over a frame without flushing, for full speed.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn write(&mut self, text: String) -> Result<(), Error> {
        self.socket.write(Message::text(text))
    }

    /// Flushes what was handed over.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.socket.flush()
    }

    /// Sends any message: bytes, a ping, a close.
    pub fn send_message(&mut self, message: Message) {
        self.socket.send(message).expect("sent");
    }

    /// Sends any message, if the connection still takes it.
    ///
    /// # Errors
    /// When it does not.
    pub fn try_message(&mut self, message: Message) -> Result<(), Error> {
        self.socket.send(message)
    }

    /// The next message of any kind.
    ///
    /// # Panics
    /// When none comes.
    pub fn message(&mut self) -> Message {
        self.socket.read().expect("a message")
    }

    /// The bare connection, for what the protocol does not allow.
    pub fn stream(&mut self) -> &mut TcpStream {
        self.socket.get_mut()
    }

    /// Whether something comes within `time`; what comes is lost. For what must not come, prefer to wait for what comes after it.
    pub fn silent_for(&mut self, time: Duration) -> bool {
        self.socket.get_mut().set_read_timeout(Some(time)).expect("a socket");
        let begun = Instant::now();
        let silent =
            matches!(&self.socket.read(), Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock);
        self.socket
            .get_mut()
            .set_read_timeout(Some(PATIENCE))
            .expect("a socket");
        silent && begun.elapsed() >= time
    }
}

impl Peer for Ws {
    fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).expect("sent");
    }

    fn text(&mut self) -> String {
        self.try_text().expect("the connection ended")
    }

    fn closed(&mut self) -> (u16, String) {
        loop {
            match self.socket.read() {
                Ok(Message::Close(Some(close))) => return (close.code.into(), close.reason.as_str().to_owned()),
                Ok(Message::Close(None)) => return (1005, String::new()),
                Ok(_) => {}
                Err(error) => return (1006, error.to_string()),
            }
        }
    }
}
