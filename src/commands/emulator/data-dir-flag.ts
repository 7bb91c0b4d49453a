import { flag } from "../../context/flag.ts";

export const DATA_DIR_FLAG = flag("--data-dir <directory>", "Directory for emulator data");
