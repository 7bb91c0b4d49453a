import { flag } from "../../context/flag.ts";

export const DATA_DIR_FLAG = flag("--data-dir <folder>", "where the emulator keeps its state");
