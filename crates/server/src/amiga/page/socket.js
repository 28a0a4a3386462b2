// Socket.IO protocol 5 over an Engine.IO 4 WebSocket, as much of it as the page needs: one namespace, events with one argument,
// binary attachments, the server's pings, and connecting again after a while.

const OPEN = '0', CLOSE = '1', PING = '2', PONG = '3', MESSAGE = '4';
const CONNECT = '0', DISCONNECT = '1', EVENT = '2', CONNECT_ERROR = '4', BINARY_EVENT = '5';
const LONGEST_WAIT = 10_000;

export class Socket {
    #listeners = {};
    #namespace;
    #token;
    #socket;
    #wanted = false;
    #wait = 500;
    #timer;
    #silence;
    #partial;
    connected = false;

    constructor(namespace, token) {
        this.#namespace = namespace;
        this.#token = token;
    }

    on(name, listener) {
        (this.#listeners[name] ??= []).push(listener);
        return this;
    }

    open() {
        this.#wanted = true;
        const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
        const socket = new WebSocket(`${scheme}://${location.host}/socket.io/?EIO=4&transport=websocket`);
        socket.binaryType = 'arraybuffer';
        socket.onmessage = ({ data }) => {
            if (socket !== this.#socket) return;
            if (data instanceof ArrayBuffer) this.#attachment(data);
            else this.#packet(data);
        };
        socket.onclose = () => {
            if (socket === this.#socket) this.#lost('transport close');
        };
        this.#socket = socket;
        this.#tell('connecting');
    }

    close() {
        this.#wanted = false;
        clearTimeout(this.#timer);
        if (this.connected) this.#send(MESSAGE + DISCONNECT + this.#prefix());
        this.#socket?.close();
        this.#lost('io client disconnect');
    }

    emit(name, ...values) {
        if (!this.connected) return false;
        this.#send(MESSAGE + EVENT + this.#prefix() + JSON.stringify([name, ...values]));
        return true;
    }

    #prefix() {
        return this.#namespace === '/' ? '' : `${this.#namespace},`;
    }

    #send(text) {
        if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
    }

    #tell(name, value) {
        for (const listener of this.#listeners[name] ?? []) listener(value);
        for (const listener of this.#listeners['*'] ?? []) listener(name, value);
    }

    #packet(text) {
        switch (text[0]) {
            case OPEN: {
                const { pingInterval, pingTimeout } = JSON.parse(text.slice(1));
                this.patience = pingInterval + pingTimeout;
                this.#alive();
                this.#send(MESSAGE + CONNECT + this.#prefix() + (this.#token ? JSON.stringify({ token: this.#token }) : ''));
                break;
            }
            case PING:
                this.#alive();
                this.#send(PONG);
                break;
            case CLOSE:
                this.#socket.close();
                break;
            case MESSAGE:
                this.#message(text.slice(1));
                break;
        }
    }

    #message(text) {
        const match = /^(\d)(?:(\d+)-)?(?:(\/[^,]*),)?(?:\d+)?(.*)$/s.exec(text);
        if (!match || (match[3] ?? '/') !== this.#namespace) return;
        const [, kind, attachments, , rest] = match;
        if (kind === CONNECT) {
            this.connected = true;
            this.#wait = 500;
            this.#tell('connect', JSON.parse(rest).sid);
        } else if (kind === CONNECT_ERROR) {
            this.#tell('connect_error', JSON.parse(rest).message);
            this.#wanted = false;
            this.#socket.close();
        } else if (kind === DISCONNECT) {
            this.#socket.close();
        } else if (kind === EVENT) {
            this.#tell(...JSON.parse(rest));
        } else if (kind === BINARY_EVENT) {
            this.#partial = { event: JSON.parse(rest), buffers: [], count: Number(attachments) };
        }
    }

    #attachment(buffer) {
        const partial = this.#partial;
        if (!partial) return;
        partial.buffers.push(buffer);
        if (partial.buffers.length < partial.count) return;
        this.#partial = undefined;
        const [name, value] = partial.event;
        // The hub's binary payloads are the JSON text of what would have been sent otherwise.
        const whole = value?._placeholder ? JSON.parse(new TextDecoder().decode(partial.buffers[value.num])) : value;
        this.#tell(name, whole);
    }

    #alive() {
        clearTimeout(this.#silence);
        this.#silence = setTimeout(() => this.#socket.close(), this.patience);
    }

    #lost(reason) {
        clearTimeout(this.#silence);
        this.#socket = undefined;
        this.#partial = undefined;
        const was = this.connected;
        this.connected = false;
        if (was || !this.#wanted) this.#tell('disconnect', reason);
        if (!this.#wanted) return;
        this.#tell('waiting', this.#wait);
        this.#timer = setTimeout(() => this.open(), this.#wait);
        this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    }
}
