// A machine's console in a tab of its own.

import { call, type Row } from "@/api/client";

interface Endpoint {
  consoleendpoint: { success: boolean; details?: string; url?: string };
}

/** Ask for a console and open it; raises what the API says where there is none. */
export async function openConsole(row: Row, serial = false): Promise<void> {
  // opened at once: a tab that is opened after an answer has come is a popup, which browsers keep closed
  const tab = window.open("", "_blank");
  try {
    const answer = await call<Endpoint>("createConsoleEndpoint", {
      virtualmachineid: row.id,
      serial: serial || undefined,
    });
    const { success, url, details } = answer.consoleendpoint;
    if (!success || !url) {
      throw new Error(details);
    }
    if (tab === null) {
      location.assign(url);
    } else {
      tab.opener = null;
      tab.location.replace(url);
    }
  } catch (error) {
    tab?.close();
    throw error;
  }
}
