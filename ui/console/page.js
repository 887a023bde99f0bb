// What the pages of both kinds of console have: a title, the state of the connection, pasting, full screen.

const CLOSED = new Map([
    [1000, "The instance's console has ended."],
    [1001, "The console proxy stopped. Open the console again to get another one."],
    [4001, "The console was taken away: the instance stopped or moved, or an operator ended the session."],
    [4002, "Nothing happened for too long, so the console was closed. Open it again."],
]);

const find = (id) => document.getElementById(id);

/** Read the page's address, and take the token out of what the browser shows and remembers: it opens once. */
export function takeAddress() {
    const given = new URLSearchParams(location.search);
    const title = given.get("title") || "Console";
    document.title = `${title} - console`;
    find("title").textContent = title;
    const asked = new URLSearchParams();
    for (const name of ["token", "extra"]) {
        if (given.get(name)) {
            asked.set(name, given.get(name));
        }
    }
    history.replaceState(null, "", `${location.pathname}?${new URLSearchParams({ title })}`);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    return asked.has("token") ? `${scheme}://${location.host}/websockify?${asked}` : null;
}

/** Open the console's WebSocket, and show what becomes of it. Returns null where the address has no token. */
export function connect() {
    const address = takeAddress();
    if (address === null) {
        over("This address has been used. Open the console again to get a new one.");
        return null;
    }
    show("wait", "Connecting");
    const socket = new WebSocket(address, []);
    socket.binaryType = "arraybuffer";
    let opened = false;
    socket.addEventListener("open", () => {
        opened = true;
    });
    socket.addEventListener("close", (event) => over(reasonOf(event, opened)));
    return socket;
}

function reasonOf(event, opened) {
    if (!opened) {
        return "No console here: the address was used or has expired, or the console proxy is gone. Open it again.";
    }
    if (event.code === 4003) {
        return `The console cannot be shown: ${event.reason}.`;
    }
    return CLOSED.get(event.code) ?? "The connection to the console proxy broke. Open the console again.";
}

/** Bytes come and go. */
export function ready() {
    show("open", "Connected");
    for (const button of document.querySelectorAll("nav button")) {
        button.disabled = false;
    }
}

function over(reason) {
    show("over", reason);
    document.body.classList.add("over");
    for (const button of document.querySelectorAll("nav button:not(#full)")) {
        button.disabled = true;
    }
}

function show(state, text) {
    find("state").dataset.state = state;
    find("state").textContent = text;
}

/** Have the buttons for pasting and full screen work; `type` is told the text, `focus` gives the console the keys back. */
export function furnish({ type, focus }) {
    const dialog = find("paste-dialog");
    const text = find("paste-text");
    find("paste").addEventListener("click", () => {
        text.value = "";
        dialog.showModal();
    });
    dialog.addEventListener("close", () => {
        if (dialog.returnValue === "type" && text.value) {
            type(text.value);
        }
        focus();
    });
    find("full").addEventListener("click", async () => {
        if (document.fullscreenElement) {
            await document.exitFullscreen();
        } else {
            await document.documentElement.requestFullscreen();
        }
        focus();
    });
}
