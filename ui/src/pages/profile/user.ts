// A user as the API answers one.

export interface User {
  id: string;
  username: string;
  firstname?: string;
  lastname?: string;
  email?: string;
  timezone?: string;
  account?: string;
  rolename?: string;
  domain?: string;
  created?: string;
  is2faenabled?: boolean;
  is2famandated?: boolean;
}

/** The names of time zones that this browser knows. */
export function timezones(): string[] {
  const known = (Intl as unknown as { supportedValuesOf?: (what: string) => string[] }).supportedValuesOf;
  return known ? ["UTC", ...known("timeZone").filter((zone) => zone !== "UTC")] : ["UTC"];
}
