/** The mode mask for commands that write what a store has: nobody but their user gets to read it, whatever the shell's mask is. */
export const privately = 0o077;

/** The mask for commands that write release repositories: a web server, as another user, reads them, also where the shell or the unit has a mask of its own. */
export const publicly = 0o022;
