import { testReading1 } from "./artifacts/reading1.ts";
import { testReading2 } from "./artifacts/reading2.ts";

testReading2("2.8.1");
testReading1("1.6.8");
