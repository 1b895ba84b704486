/** The names of a row type's columns that hold a `T`: any name where no row type is given. */
export type ColumnOf<R, T> = string extends keyof R
  ? string
  : { [K in keyof R & string]: NonNullable<R[K]> extends T ? K : never }[keyof R & string];
