//! WebSocket frames as a server writes them (RFC 6455, section 5.2): whole, unmasked, header and payload in one buffer.

use bytes::{BufMut, Bytes, BytesMut};

const FIN: u8 = 0x80;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;

fn frame(opcode: u8, payload: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(payload.len() + 10);
    push(&mut out, opcode, payload);
    out.freeze()
}

fn push(out: &mut BytesMut, opcode: u8, payload: &[u8]) {
    out.put_u8(FIN | opcode);
    match payload.len() {
        length @ 0..126 => out.put_u8(length as u8),
        length @ 126..0x1_0000 => {
            out.put_u8(126);
            out.put_u16(length as u16);
        }
        length => {
            out.put_u8(127);
            out.put_u64(length as u64);
        }
    }
    out.put_slice(payload);
}

/// Appends a text frame.
pub(crate) fn push_text(out: &mut BytesMut, payload: &str) {
    push(out, TEXT, payload.as_bytes());
}

/// A text frame.
pub(crate) fn text(payload: &str) -> Bytes {
    frame(TEXT, payload.as_bytes())
}

/// A binary frame.
pub(crate) fn binary(payload: &[u8]) -> Bytes {
    frame(BINARY, payload)
}

/// A close frame; the reason is cut to what a control frame holds.
pub(crate) fn close(code: u16, reason: &str) -> Bytes {
    let mut end = reason.len().min(123);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let mut payload = Vec::with_capacity(2 + end);
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(&reason.as_bytes()[..end]);
    frame(CLOSE, &payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_as_the_rfc_says() {
        for (length, header) in [
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_535, vec![0x81, 126, 0xff, 0xff]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let frame = text(&"x".repeat(length));
            assert_eq!(frame[..header.len()], header[..]);
            assert_eq!(frame.len(), header.len() + length);
        }
    }

    #[test]
    fn a_reason_fits_a_control_frame_and_stays_text() {
        let frame = close(1008, &"é".repeat(100));
        assert_eq!(frame[..4], [0x88, 124, 0x03, 0xf0]);
        assert!(std::str::from_utf8(&frame[4..]).is_ok());
    }
}
