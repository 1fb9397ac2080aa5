"""Which of the read classes that we need our user on the PBX lacks.

AMI does not tell a user his own classes. The PBX's dialplan function AST_CONFIG reads them from manager.conf
for whoever may ask for variables (write class reporting); where func_config is not loaded, or the user stands
elsewhere than in that file, they stay unknown.
"""

from connectors.asterisk import failures
from connectors.asterisk.actions import configured
from connectors.asterisk.ami import Link
from gateway.domain.errors import NeedsAdministrator, PermanentFailure


async def missing_classes(link: Link) -> list[NeedsAdministrator]:
    """What is missing, one for each class; none where it cannot be known."""
    if any(sign in link.username for sign in ",()[]{}$\\"):
        return []
    try:
        answer = await link.action(configured("manager.conf", link.username, "read"))
    except (NeedsAdministrator, PermanentFailure):
        return []
    has = {name.strip().lower() for name in str(answer.get("Value", "")).split(",")} - {""}
    if not has or "all" in has:
        return []
    return [problem for name, problem in failures.classes().items() if name not in has]
