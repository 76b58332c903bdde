/** Blobs that a destination is asked for at once: a question of some 300 kB. The first is short, so that blobs move while the next are asked for, and each may be twice as long as the one before. */
export const firstQuestionBlobs = 512;
export const questionBlobs = 4096;

/** Of directories that wait to be asked for together, in bytes. */
export const offeredBytes = 1 << 20;

/** Questions of one artifact that wait for an answer. */
export const questionsInFlight = 3;

/** Missing blobs of one artifact that wait to be moved before questions wait as well: some 150 bytes each. */
export const waitingBlobs = 100_000;

/** Small blobs that are read and written together: what a server takes in one to four batches. */
export const groupBlobs = 2000;
export const groupBytes = 4 << 20;

/** Groups and streams of one artifact that are under way. */
export const groupsInFlight = 6;
export const streamsInFlight = 4;

/** What a stream holds of its blob: some pieces on the way in, some on the way out. */
export const streamBytes = 4 << 20;

/** What all artifacts of a command together hold of blobs. At least a group, a stream and a batch of directories have to fit. */
export const heldBytes = 96 << 20;

/** Directories that are read at once, and their bytes unless one alone has more. */
export const batchDirectories = 1024;
export const batchDirectoryBytes = 4 << 20;

/** Files of an artifact that are remembered so that none is asked for twice: 50 bytes each. From then on some may be. */
export const rememberedFiles = 500_000;
