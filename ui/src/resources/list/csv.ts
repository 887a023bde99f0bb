// Rows as a file that a spreadsheet opens: RFC 4180, with the raw values of numbers and dates.

import type { Row } from "@/api/client";
import type { Field } from "../declaration";
import { textOf, valueOf } from "../values/kinds";

function cell(text: string): string {
  // a text that a spreadsheet would take for a formula is made a text
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The rows as CSV, with a line of column names first. */
export function csv(rows: Row[], columns: Field[], label: (field: Field) => string): string {
  const lines = [columns.map((field) => cell(label(field)))];
  for (const row of rows) {
    lines.push(columns.map((field) => cell(textOf(valueOf(row, field), "text"))));
  }
  return lines.map((line) => line.join(",")).join("\r\n") + "\r\n";
}

/** Have the browser keep a text as a file. */
export function download(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
