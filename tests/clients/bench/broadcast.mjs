// The broadcast server to compare with, as the documentation of `ws` tells to write it: what one client sends, the others get.
// Prints the ready line that `countersign serve` prints, on a port of the system's choice. It stores nothing.

import { createRequire } from "node:module";

const packages = process.env.BENCH_NODE_PACKAGES ?? new URL("../node/", import.meta.url).pathname;
const { WebSocket, WebSocketServer } = createRequire(`${packages}/package.json`)("ws");

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });

server.on("connection", (client) => {
  client.on("error", console.error);
  client.on("message", (data, isBinary) => {
    server.clients.forEach((other) => {
      if (other !== client && other.readyState === WebSocket.OPEN) {
        other.send(data, { binary: isBinary });
      }
    });
  });
});

server.on("listening", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
