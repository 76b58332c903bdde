import type { Place } from "../place.ts";

/** What somebody calls a place, or the place itself, which stays theirs to close. */
export type PlaceName = string | Place;
