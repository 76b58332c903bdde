/** The mode mask for commands that write what a store has: nobody but their user gets to read it, whatever the shell's mask is. */
export const privately = 0o077;
