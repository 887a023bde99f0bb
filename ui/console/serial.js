// An instance's terminal, by xterm.js.

import { FitAddon } from "./addon-fit/lib/addon-fit.mjs";
import { Terminal } from "./xterm/lib/xterm.mjs";
import { connect, furnish, ready } from "./page.js";

const socket = connect();
if (socket !== null) {
    const terminal = new Terminal({
        cols: 80,
        rows: 25,
        cursorBlink: true,
        fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
        fontSize: 15,
        scrollback: 5000,
        theme: { background: "#14161a", foreground: "#e6e8ec" },
    });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    terminal.open(document.getElementById("screen"));
    const say = (data) => {
        if (socket.readyState === WebSocket.OPEN) {
            socket.send(new TextEncoder().encode(data));
        }
    };
    socket.addEventListener("open", () => {
        ready();
        terminal.focus();
    });
    socket.addEventListener("message", (event) => terminal.write(new Uint8Array(event.data)));
    terminal.onData(say);
    furnish({ type: (text) => terminal.paste(text), focus: () => terminal.focus() });

    // 80 columns always: neither a serial line nor what is behind it hears how wide the window is. As many rows as fit.
    const resize = () => terminal.resize(80, Math.max(25, fit.proposeDimensions()?.rows ?? 25));
    addEventListener("resize", resize);
    resize();
}
