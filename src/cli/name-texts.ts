/** What names artifacts, as the help of commands says it. */
export const nameText =
  "PROJECT/ELEMENT/KEY, of which the key may be short; PROJECT/ELEMENT; or an element's file in the project. * and ? are wildcards";

/** What names a place. */
export const placeText =
  "`local`, a remote's name or URL, a FILE.tar, or the directory of a cache or of a server's store";
