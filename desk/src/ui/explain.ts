import { ApiError } from "../api/client";
import { i18n } from "../i18n";

/** What to tell a person about a failure: what happened and what to do about it. */
export function explain(error: unknown): string {
  const { t } = i18n.global;
  if (!(error instanceof ApiError)) throw error;
  const fields = error.problem?.errors?.map((one) => one.message).join("; ");
  const detail = fields || error.message;
  switch (error.status) {
    case 0:
      return t("errors.offline");
    case 403:
      return t("errors.refused");
    case 404:
      return t("errors.gone");
    case 409:
      return t("errors.conflict", { detail });
    case 412:
      return t("errors.stale");
    case 400:
    case 422:
      return t("errors.invalid", { detail });
    case 429:
      return t("errors.tooMany");
    case 503:
      return t("errors.busy");
    default:
      return t("errors.server", { status: error.status });
  }
}
