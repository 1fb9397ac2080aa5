import { ApiError } from "../api/client";
import { explain } from "../ui/explain";
import { toast } from "../ui/toasts";
import { Told } from "./useCard";

/** Does something and tells when it did not work. Resolves to whether it did. */
export async function run(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof Told) toast(error.message, { bad: true });
    else if (error instanceof ApiError) toast(explain(error), { bad: true });
    else throw error;
    return false;
  }
}
