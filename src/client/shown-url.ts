/**
 * A remote's URL as it may be printed and written down: without the password that may stand in it. Before a web server's host all of it is left out, because there the user may be
 * the token; before that of `ssh` the user belongs to the address.
 */
export function shownUrl(url: string): string {
  const [, scheme = "", user = "", rest = ""] = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@(.*)$/is.exec(url) ?? [];
  if (scheme === "") return url;
  if (/^(https?|grpcs?):/i.test(scheme)) return `${scheme}${rest}`;
  return `${scheme}${user.replace(/:.*$/s, "")}@${rest}`;
}
