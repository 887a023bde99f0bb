// The same call from a shell, as the page of all commands tells it.

import { describe, expect, it } from "vitest";
import { cmkLine, csLine, curlLine, quoted } from "@/pages/api/lines";

describe("the line of a call", () => {
  const parameters = {
    name: "it's",
    ids: ["a", "b"],
    details: [{ key: "k", value: "v w" }],
    password: "secret",
    none: undefined,
  };

  it("is cs's, with lists joined and maps by their members", () => {
    expect(csLine("deployVirtualMachine", parameters)).toBe(
      "cs deployVirtualMachine 'name=it'\\''s' ids=a,b 'details[0].key=k' 'details[0].value=v w' 'password=…'",
    );
  });

  it("is CloudMonkey's, by verb and noun", () => {
    expect(cmkLine("listVirtualMachines", { listall: true })).toBe("cmk list virtualmachines listall=true");
    expect(cmkLine("login", {})).toBe("cmk login");
  });

  it("is curl's, with a session that it signed in to before", () => {
    expect(curlLine("http://c/client/api", "listZones", { keyword: "a&b" })).toBe(
      "curl -sb cookies http://c/client/api -d command=listZones -d response=json --data-urlencode 'keyword=a&b'",
    );
  });

  it("quotes what a shell would take apart, and nothing else", () => {
    expect(["plain-1.2", "a b", "$x", ""].map(quoted)).toEqual(["plain-1.2", "'a b'", "'$x'", "''"]);
  });
});
