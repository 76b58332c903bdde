/** What a client made up is cut where it is told of: a resource name has some hundred characters. */
const mostChars = 500;

/** A text as logs and traces have it: a long one cut. */
export function cut(text: string): string {
  return text.length <= mostChars ? text : `${text.slice(0, mostChars)}…`;
}
