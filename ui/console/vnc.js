// An instance's screen, by noVNC.

import RFB from "./novnc/core/rfb.js";
import keysyms from "./novnc/core/input/keysymdef.js";
import { connect, furnish, ready } from "./page.js";

const RETURN = 0xff0d;
const TAB = 0xff09;
const SHIFT = 0xffe1;
const SHIFTED = /[A-Z~!@#$%^&*()_+{}|:"<>?]/; // on a US keyboard, which is what virtual machines have

const socket = connect();
if (socket !== null) {
    const screen = document.getElementById("screen");
    const rfb = new RFB(screen, socket, { shared: true });
    rfb.scaleViewport = true;
    rfb.background = "transparent";
    rfb.addEventListener("connect", () => {
        ready();
        rfb.focus();
    });
    document.getElementById("keys").addEventListener("click", () => {
        rfb.sendCtrlAltDel();
        rfb.focus();
    });
    furnish({ type: (text) => typed(rfb, text), focus: () => rfb.focus() });
}

/** Type a text as a person would, since a screen knows no text. */
async function typed(rfb, text) {
    for (const character of text.replaceAll("\r\n", "\n")) {
        const shifted = SHIFTED.test(character);
        if (shifted) {
            rfb.sendKey(SHIFT, null, true);
        }
        rfb.sendKey(keysymOf(character), null);
        if (shifted) {
            rfb.sendKey(SHIFT, null, false);
        }
        await new Promise((resolve) => setTimeout(resolve, 8)); // a guest's keyboard controller holds 16 keys
    }
}

function keysymOf(character) {
    return { "\n": RETURN, "\t": TAB }[character] ?? keysyms.lookup(character.codePointAt(0));
}
