// The bytes of an image on their way: sent from the browser to the storage door, or followed while the cloud fetches them.

import { ApiError, list, type Row } from "@/api/client";
import { t } from "@/messages";
import { gibibytes, text } from "../frame/rows";
import type { ImageKind } from "./model";

const EVERY = 1000;

/** What getUploadParamsFor... answers. */
export interface UploadParameters {
  id: string;
  postURL: string;
  metadata: string;
  expires: string;
  signature: string;
}

/** POST the file. Raises ApiError with what the door says. */
export function send(file: File, to: UploadParameters, note: (text: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const refuse = (message: string): void => reject(new ApiError(message, request.status, "upload"));
    request.open("POST", to.postURL);
    request.setRequestHeader("X-signature", to.signature);
    request.setRequestHeader("X-metadata", to.metadata);
    request.setRequestHeader("X-expires", to.expires);
    request.upload.onprogress = ({ loaded, total }) => {
      note(
        `${Math.round((100 * loaded) / Math.max(1, total))}% · ${gibibytes(loaded)} / ${gibibytes(total)}`,
      );
    };
    request.onerror = () => refuse(t("wizards.image.errors.unreachable", { url: to.postURL }));
    request.onload = () =>
      request.status < 300 ? resolve() : refuse(request.responseText || request.statusText);
    request.send(file);
  });
}

const COMMANDS = {
  template: { command: "listTemplates", key: "template", filter: "templatefilter" },
  iso: { command: "listIsos", key: "iso", filter: "isofilter" },
} as const;

const UNDER_WAY =
  /^(\d+% Downloaded|Download Complete|Successfully Installed|Waiting to be downloaded|Not uploaded yet|Being uploaded)$/;

/** A status that will not become ready by itself. */
function failed(status: string): boolean {
  return status !== "" && !UNDER_WAY.test(status);
}

/** Wait until the image is ready in all its zones. Raises ApiError when one of them says that it failed. */
export async function untilReady(
  kind: ImageKind,
  id: string,
  owner: { projectid?: string },
  note: (text: string) => void,
): Promise<void> {
  const { command, key, filter } = COMMANDS[kind];
  for (;;) {
    const { rows } = await list(command, key, { id, [filter]: "self", ...owner });
    const wrong = rows.find((row) => row.isready !== true && failed(text(row, "status")));
    if (wrong !== undefined) {
      throw new ApiError(`${text(wrong, "zonename")}: ${text(wrong, "status")}`, 0, command);
    }
    if (rows.length > 0 && rows.every((row) => row.isready === true)) {
      return;
    }
    note(rows.map(progress).join("; "));
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

function progress(row: Row): string {
  const status = row.isready === true ? t("wizards.image.ready") : text(row, "status");
  return `${text(row, "zonename")}: ${status}`;
}
