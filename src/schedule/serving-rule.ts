/** Numbers of the serving rule that the dispatcher follows and the analysis counts with. */

/** The clock is read once per burst of at most so many requests. */
export const BURST_MAX = 32;

/** Descriptors that one look at a packed ring reads at most. */
export const PACKED_LOOK_MAX = 64;
