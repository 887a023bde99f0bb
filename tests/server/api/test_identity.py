"""Domains, accounts, users, roles, projects and limits through the API."""

from __future__ import annotations

from cloudsim.errors import ResourceUnavailable
from cloudsim.model import Account
from tests.server.api.api_harness import Api, Client, refused


def test_a_new_cloud_has_the_root_domain_and_the_admin(admin: Client) -> None:
    assert [d["path"] for d in admin("listDomains", listall=True)["domain"]] == ["ROOT"]
    accounts = admin("listAccounts", listall=True)["account"]
    assert [(a["name"], a["accounttype"], a["isdefault"]) for a in accounts] == [("system", 1, True), ("admin", 1, True)]
    assert [r["name"] for r in admin("listRoles")["role"]][:4] == ["Root Admin", "Resource Admin", "Domain Admin", "User"]


def test_marvin_registers_the_admins_keys_over_the_integration_port(api: Api) -> None:
    user = api.system("listUsers", account="admin")["user"][0]
    keys = api.system("registerUserKeys", id=user["id"])["userkeys"]
    assert api.system("getUserKeys", id=user["id"])["userkeys"] == keys
    assert keys["apikey"] != keys["secretkey"]


def test_a_user_without_keys_has_an_empty_userkeys(api: Api) -> None:
    system = api.system("listUsers", username="system", listall=True)["user"][0]
    assert api.system("getUserKeys", id=system["id"]) == {"userkeys": {}}


def test_domains_nest_rename_and_delete(admin: Client) -> None:
    a = admin("createDomain", name="a")["domain"]
    b = admin("createDomain", name="b", parentdomainid=a["id"])["domain"]
    assert (b["path"], b["level"], b["parentdomainname"]) == ("ROOT/a/b", 2, "a")
    assert admin("updateDomain", id=a["id"], name="A2")["domain"]["path"] == "ROOT/A2"
    assert admin("listDomains", id=b["id"])["domain"][0]["path"] == "ROOT/A2/b"
    assert "exists already" in refused(431, admin, "createDomain", name="a2").text
    assert refused(530, admin, "deleteDomain", id=a["id"]).text
    assert admin("deleteDomain", id=a["id"], cleanup=True) == {"success": True}
    assert admin("listDomains", id=b["id"]) == {}
    assert [d["name"] for d in admin("listDomains")["domain"]] == ["ROOT"]


def test_the_root_domain_stays(admin: Client) -> None:
    root = admin("listDomains")["domain"][0]
    refused(531, admin, "deleteDomain", id=root["id"], cleanup=True)
    refused(431, admin, "updateDomain", id=root["id"], name="mine")


def test_an_account_is_named_after_its_user(admin: Client) -> None:
    made = admin(
        "createAccount", username="ann", password="x", email="a@b.c", firstname="Ann", lastname="E", accounttype=0
    )["account"]
    assert made["name"] == "ann" and made["user"][0]["username"] == "ann" and made["roletype"] == "User"
    assert made["vmlimit"] == "20" and made["vmtotal"] == 0 and made["state"] == "enabled"
    assert admin("listAccounts", name="ann", domainid=made["domainid"])["account"] == [made]


def test_account_states(api: Api, admin: Client) -> None:
    made, ann = api.account("ann")
    assert admin("lockAccount", account="ann", domainid=made["domainid"])["account"]["state"] == "locked"
    refused(401, ann, "listUsers")
    assert admin("enableAccount", id=made["id"])["account"]["state"] == "enabled"
    assert ann("listUsers")["count"] == 1
    assert admin("disableAccount", id=made["id"], lock=False)["account"]["state"] == "disabled"
    refused(401, ann, "listUsers")
    assert admin("deleteAccount", id=made["id"]) == {"success": True}
    assert admin("listAccounts", id=made["id"]) == {}
    refused(431, admin, "deleteAccount", id=made["id"])


def test_what_comes_with_the_cloud_cannot_go(api: Api, admin: Client) -> None:
    for account in admin("listAccounts", listall=True)["account"]:
        refused(531, admin, "deleteAccount", id=account["id"])
        refused(531, admin, "disableUser", id=account["user"][0]["id"])


def test_users_of_an_account(api: Api, admin: Client) -> None:
    made, _ = api.account("ann")
    more = dict(account="ann", domainid=made["domainid"], password="x", email="e", firstname="f", lastname="l")
    bob = admin("createUser", username="bob", **more)["user"]
    refused(431, admin, "createUser", username="bob", **more)
    assert admin("updateUser", id=bob["id"], email="bob@example.org")["user"]["email"] == "bob@example.org"
    assert admin("lockUser", id=bob["id"])["user"]["state"] == "locked"
    assert admin("disableUser", id=bob["id"])["user"]["state"] == "disabled"
    assert admin("enableUser", id=bob["id"])["user"]["state"] == "enabled"
    assert admin("deleteUser", id=bob["id"]) == {"success": True}
    assert [u["username"] for u in admin("listUsers", account="ann", domainid=made["domainid"])["user"]] == ["ann"]


def test_get_user_finds_the_caller_by_api_key(api: Api) -> None:
    _, ann = api.account("ann")
    keys = ann("getUserKeys", id=api.user("ann").id)["userkeys"]
    assert ann("getUser", userapikey=keys["apikey"])["user"]["username"] == "ann"


def test_a_user_sees_itself_only(api: Api) -> None:
    made, ann = api.account("ann")
    _, bob = api.account("bob")
    assert [u["username"] for u in ann("listUsers", listall=True)["user"]] == ["ann"]
    assert [a["name"] for a in ann("listAccounts", listall=True)["account"]] == ["ann"]
    refused(531, bob, "getUserKeys", id=api.user("ann").id)
    refused(401, ann, "createDomain", name="mine")
    assert bob("listAccounts", id=made["id"]) == {}


def test_a_domain_admin_rules_its_subtree(api: Api, admin: Client) -> None:
    inside = admin("createDomain", name="inside")["domain"]
    below = admin("createDomain", name="below", parentdomainid=inside["id"])["domain"]
    api.account("ann")
    _, boss = api.account("boss", type=2, domain=inside["id"])
    worker, _ = api.account("worker", domain=below["id"])
    assert {d["name"] for d in boss("listDomains", listall=True)["domain"]} == {"inside", "below"}
    assert {a["name"] for a in boss("listAccounts", listall=True)["account"]} == {"boss", "worker"}
    assert boss("updateAccount", id=worker["id"], newname="w2")["account"]["name"] == "w2"
    refused(531, boss, "deleteAccount", id=api.user("ann").account_id)
    refused(531, boss, "deleteDomain", id=inside["id"], cleanup=True)
    new = dict(password="x", email="e", firstname="f", lastname="l", domainid=below["id"])
    refused(531, boss, "createAccount", username="root2", roleid=_role(admin, "Root Admin"), **new)


def test_clients_know_the_root_domain_by_its_number(api: Api, admin: Client) -> None:
    root = admin("listDomains", id="1")["domain"][0]
    assert (root["name"], root["level"]) == ("ROOT", 0)
    made = admin("createDomain", name="inside", parentdomainid="1")["domain"]
    assert made["parentdomainid"] == root["id"]
    refused(431, admin, "createDomain", name="other", parentdomainid="2")


def _role(admin: Client, name: str) -> str:
    return str(admin("listRoles", name=name)["role"][0]["id"])


def test_a_root_admin_below_root_is_a_domain_admin(api: Api, admin: Client) -> None:
    inside = admin("createDomain", name="inside")["domain"]
    made, _ = api.account("boss", type=1, domain=inside["id"])
    assert made["accounttype"] == 3


def test_a_read_only_admin_changes_nothing_and_reads_no_secret(api: Api, admin: Client) -> None:
    new = dict(username="viewer", password="x", email="e", firstname="f", lastname="l")
    admin("createAccount", roleid=_role(admin, "Read-Only Admin - Default"), **new)
    viewer = api.client(api.user("viewer"))
    assert viewer("listAccounts", listall=True)["count"] == 3
    refused(401, viewer, "createDomain", name="x")
    refused(401, viewer, "getUserKeys", id=api.user("admin").id)


def test_a_role_of_ones_own(api: Api, admin: Client) -> None:
    role = admin("createRole", name="lister", type="User")["role"]
    first = admin("createRolePermission", roleid=role["id"], rule="listDomains", permission="allow")["rolepermission"]
    second = admin("createRolePermission", roleid=role["id"], rule="*", permission="deny")["rolepermission"]
    new = dict(username="lis", password="x", email="e", firstname="f", lastname="l")
    admin("createAccount", roleid=role["id"], **new)
    lister = api.client(api.user("lis"))
    assert lister("listDomains")["count"] == 1
    refused(401, lister, "listUsers")
    admin("updateRolePermission", roleid=role["id"], ruleorder=[second["id"], first["id"]])
    refused(401, lister, "listDomains")
    admin("deleteRolePermission", id=second["id"])
    assert [p["rule"] for p in admin("listRolePermissions", roleid=role["id"])["rolepermission"]] == ["listDomains"]
    assert lister("listDomains")["count"] == 1
    refused(536, admin, "deleteRole", id=role["id"])
    refused(531, admin, "deleteRole", id=_role(admin, "User"))


def test_projects(api: Api, admin: Client) -> None:
    _, ann = api.account("ann")
    _, bob = api.account("bob")
    reply = ann.reply("createProject", name="p", displaytext="The project").body
    project = ann.job(reply["jobid"])["project"]
    assert project["id"] == reply["id"] and project["state"] == "Active" and project["owner"][0]["account"] == "ann"
    assert ann("listProjects")["count"] == 1
    assert bob("listProjects") == {} and admin("listProjects") == {}
    assert admin("listProjects", listall=True)["count"] == 1
    refused(531, bob, "addAccountToProject", projectid=project["id"], account="bob")
    ann("addAccountToProject", projectid=project["id"], account="bob")
    parts = ann("listProjectAccounts", projectid=project["id"])["projectaccount"]
    assert {(p["account"], p["role"]) for p in parts} == {("ann", "Admin"), ("bob", "Regular")}
    assert bob("listProjects")["count"] == 1
    refused(531, bob, "deleteProject", id=project["id"])
    assert ann("suspendProject", id=project["id"])["project"]["state"] == "Suspended"
    assert ann("activateProject", id=project["id"])["project"]["state"] == "Active"
    refused(431, admin, "deleteAccount", id=api.user("ann").account_id)
    ann("updateProject", id=project["id"], account="bob", displaytext="Bob's")
    shown = bob("listProjects")["project"][0]
    assert shown["displaytext"] == "Bob's" and shown["owner"][0]["account"] == "bob"
    ann_account = api.user("ann").account_id
    bob("deleteAccountFromProject", projectid=project["id"], account="ann")
    assert ann("listProjects") == {}
    assert admin("deleteAccount", id=ann_account) == {"success": True}
    assert bob("deleteProject", id=project["id"]) == {"success": True}
    assert admin("listProjects", listall=True) == {}


def test_resource_limits(api: Api, admin: Client) -> None:
    made, ann = api.account("ann")
    whose = dict(account="ann", domainid=made["domainid"])
    limits = admin("listResourceLimits", **whose)["resourcelimit"]
    assert [limit["resourcetype"] for limit in limits] == [str(n) for n in (*range(14), 16)]
    assert admin("updateResourceLimit", resourcetype=5, max=1, **whose)["resourcelimit"]["max"] == 1
    assert ann("listResourceLimits", resourcetype=5)["resourcelimit"][0]["max"] == 1
    ann("createProject", name="one")
    assert "project" in refused(535, ann, "createProject", name="two").text
    counts = admin("updateResourceCount", resourcetype=5, **whose)["resourcecount"]
    assert counts[0]["resourcecount"] == 1
    refused(431, admin, "updateResourceLimit", resourcetype=99, max=1, **whose)
    refused(401, ann, "updateResourceLimit", resourcetype=5, max=9, **whose)


def test_a_domains_limit_holds_for_its_accounts_together(api: Api, admin: Client) -> None:
    domain = admin("createDomain", name="d")["domain"]["id"]
    _, ann = api.account("ann", domain=domain)
    _, bob = api.account("bob", domain=domain)
    admin("updateResourceLimit", resourcetype=5, max=1, domainid=domain)
    ann("createProject", name="one")
    refused(535, bob, "createProject", name="two")


def test_a_domain_without_a_limit_of_its_own_is_limited_by_the_one_above(api: Api, admin: Client) -> None:
    above = admin("createDomain", name="above")["domain"]["id"]
    below = admin("createDomain", name="below", parentdomainid=above)["domain"]["id"]
    _, ann = api.account("ann", domain=below)
    admin("updateResourceLimit", resourcetype=5, max=1, domainid=above)
    refused(431, admin, "updateResourceLimit", resourcetype=5, max=2, domainid=below)
    assert admin("updateResourceLimit", resourcetype=5, max=-1, domainid=below)["resourcelimit"]["max"] == -1
    ann("createProject", name="one")
    refused(535, ann, "createProject", name="two")


def test_tags(api: Api, admin: Client) -> None:
    domain = admin("createDomain", name="d")["domain"]["id"]
    on = dict(resourcetype="domain", resourceids=[domain])
    assert admin("createTags", tags={"color": "red", "size": "big"}, **on) == {"success": True}
    refused(431, admin, "createTags", tags={"color": "blue"}, **on)
    tags = admin("listTags", resourceid=domain, listall=True)["tag"]
    assert {(t["key"], t["value"], t["resourcetype"]) for t in tags} == {("color", "red", "Domain"), ("size", "big", "Domain")}
    admin("deleteTags", tags={"color": ""}, **on)
    assert [t["key"] for t in admin("listTags", key="size")["tag"]] == ["size"]
    refused(431, admin, "createTags", tags={"a": "b"}, resourcetype="Nonsense", resourceids=[domain])


def test_events_tell_what_was_done(api: Api, admin: Client) -> None:
    admin("createDomain", name="d")
    made, _ = api.account("ann")
    admin("deleteAccount", id=made["id"])
    events = admin("listEvents", type="ACCOUNT.DELETE")["event"]
    assert [e["state"] for e in events] == ["Completed", "Scheduled"]
    assert events[0]["parentid"] == events[1]["id"] and events[0]["username"] == "admin"
    assert "DOMAIN.CREATE" in {t["name"] for t in admin("listEventTypes")["eventtype"]}
    assert admin("listEvents", level="ERROR") == {}
    assert admin("listEvents", page=1, pagesize=1)["event"][0]["type"] == "ACCOUNT.DELETE"


def test_a_deletion_that_fails_leaves_a_disabled_account_and_an_error_event(api: Api, admin: Client) -> None:
    made, _ = api.account("ann")

    async def cannot(account: object) -> None:
        from cloudsim.errors import ResourceUnavailable

        raise ResourceUnavailable("its volume does not let go")

    api.manager.identity.accounts.on_delete.append(cannot)
    assert refused(534, admin, "deleteAccount", id=made["id"]).text == "its volume does not let go"
    assert admin("listAccounts", id=made["id"])["account"][0]["state"] == "disabled"
    assert admin("listEvents", level="ERROR")["event"][0]["type"] == "ACCOUNT.DELETE"


def test_what_is_said_of_a_rule_stays_with_it(admin: Client) -> None:
    role = admin("createRole", name="lister", type="User")["role"]
    assert "description" not in role
    for rule in ("listZones", "list*"):
        made = admin("createRolePermission", roleid=role["id"], rule=rule, permission="allow", description=f"of {rule}")
        assert made["rolepermission"]["description"] == f"of {rule}"
    bare = admin("createRolePermission", roleid=role["id"], rule="*", permission="deny")["rolepermission"]
    assert "description" not in bare
    rules = admin("listRolePermissions", roleid=role["id"])["rolepermission"]
    admin("updateRolePermission", roleid=role["id"], ruleorder=[rule["id"] for rule in rules[::-1]])
    turned = admin("listRolePermissions", roleid=role["id"])["rolepermission"]
    assert [rule.get("description") for rule in turned] == [None, "of list*", "of listZones"]
    admin("deleteRolePermission", id=rules[0]["id"])
    again = admin("createRolePermission", roleid=role["id"], rule="listZones", permission="deny")["rolepermission"]
    assert "description" not in again


def test_clients_know_the_default_roles_by_their_numbers(admin: Client) -> None:
    for number, type in enumerate(("Admin", "ResourceAdmin", "DomainAdmin", "User"), start=1):
        (role,) = admin("listRoles", id=number)["role"]
        assert (role["type"], role["isdefault"]) == (type, True)
        assert admin("listRolePermissions", roleid=number)["rolepermission"]
        refused(531, admin, "deleteRole", id=number)
    refused(431, admin, "listRoles", id=0)
    refused(431, admin, "listRoles", id=99)


def test_a_role_like_a_default_one_allows_what_that_one_does(api: Api, admin: Client) -> None:
    rules = admin("listRolePermissions", roleid=_role(admin, "User"))["rolepermission"]
    assert {"rule": "listZones", "permission": "allow"}.items() <= next(
        rule for rule in rules if rule["rule"] == "listZones"
    ).items()
    assert "createZone" not in {rule["rule"] for rule in rules}
    like = admin("createRole", name="like users", roleid=_role(admin, "User"))["role"]
    own = admin("listRolePermissions", roleid=like["id"])["rolepermission"]
    assert [rule["rule"] for rule in own] == [rule["rule"] for rule in rules]


def test_a_disabled_role_allows_nothing_and_is_given_to_nobody(api: Api, admin: Client) -> None:
    role = admin("createRole", name="lister", type="User")["role"]
    admin("createRolePermission", roleid=role["id"], rule="listZones", permission="allow")
    admin(
        "createAccount", username="lis", password="x", email="a@b.c", firstname="a", lastname="b", roleid=role["id"]
    )
    lis = api.client(api.user("lis"))
    assert lis("listZones") == {}
    admin("disableRole", id=role["id"])
    assert admin("listRoles", id=role["id"])["role"][0]["state"] == "disabled"
    refused(401, lis, "listZones")
    refused(
        431, admin, "createAccount", username="l2", password="x", email="a@b.c", firstname="a", lastname="b", roleid=role["id"]
    )
    admin("enableRole", id=role["id"])
    assert lis("listZones") == {}
    refused(531, admin, "disableRole", id=admin("listRoles", name="User")["role"][0]["id"])


def _imported(*rules: tuple[str, str]) -> dict[str, str]:
    return {f"rules[{i}].{k}": v for i, r in enumerate(rules) for k, v in zip(("rule", "permission"), r, strict=True)}


def test_a_role_is_imported_with_its_rules_in_their_order(admin: Client) -> None:
    role = admin("importRole", name="r", type="User", **_imported(("list*", "allow"), ("*", "deny")))["role"]
    rules = admin("listRolePermissions", roleid=role["id"])["rolepermission"]
    assert [(r["rule"], r["permission"]) for r in rules] == [("list*", "allow"), ("*", "deny")]
    refused(431, admin, "importRole", name="r", type="User", **_imported(("get*", "allow")))
    again = admin("importRole", name="r", type="User", forced=True, **_imported(("get*", "allow")))["role"]
    assert again["id"] == role["id"]
    assert [r["rule"] for r in admin("listRolePermissions", roleid=role["id"])["rolepermission"]] == ["get*"]
    refused(431, admin, "importRole", name="q", type="User", **_imported(("list zones", "allow")))
    refused(431, admin, "importRole", name="q", type="User", **_imported(("listZones", "perhaps")))
    assert admin("listRoles", name="q") == {}


def test_a_domain_moves_with_all_that_is_below_it(api: Api, admin: Client) -> None:
    a, b = (admin("createDomain", name=name)["domain"]["id"] for name in "ab")
    c = admin("createDomain", name="c", parentdomainid=a)["domain"]["id"]
    d = admin("createDomain", name="d", parentdomainid=c)["domain"]["id"]
    assert admin("moveDomain", domainid=c, parentdomainid=b)["domain"]["path"] == "ROOT/b/c"
    assert admin("listDomains", id=d)["domain"][0]["path"] == "ROOT/b/c/d"
    assert "below itself" in refused(431, admin, "moveDomain", domainid=b, parentdomainid=d).text
    assert "already" in refused(431, admin, "moveDomain", domainid=c, parentdomainid=b).text
    admin("createDomain", name="c", parentdomainid=a)
    assert "exists already" in refused(431, admin, "moveDomain", domainid=c, parentdomainid=a).text
    assert admin("listDomains", id=c)["domain"][0]["path"] == "ROOT/b/c"


def test_a_move_stays_within_the_limits_of_the_domains_above(api: Api, admin: Client) -> None:
    a, b = (admin("createDomain", name=name)["domain"]["id"] for name in "ab")
    c = admin("createDomain", name="c", parentdomainid=a)["domain"]["id"]
    api.account("ann", domain=c)
    admin("createProject", name="p", account="ann", domainid=c)
    admin("updateResourceLimit", domainid=b, resourcetype=5, max=0)
    assert "project" in refused(535, admin, "moveDomain", domainid=c, parentdomainid=b).text
    admin("updateResourceLimit", domainid=b, resourcetype=5, max=1)
    assert admin("moveDomain", domainid=c, parentdomainid=b)["domain"]["path"] == "ROOT/b/c"


def test_a_user_moves_to_another_account_of_the_domain(api: Api, admin: Client) -> None:
    ann, _ = api.account("ann")
    bob, _ = api.account("bob")
    user = ann["user"][0]["id"]
    admin("moveUser", id=user, account="bob")
    assert admin("listUsers", id=user)["user"][0]["account"] == "bob"
    assert "already" in refused(431, admin, "moveUser", id=user, accountid=bob["id"]).text
    elsewhere, _ = api.account("cid", domain=admin("createDomain", name="a")["domain"]["id"])
    assert "domain" in refused(431, admin, "moveUser", id=user, accountid=elsewhere["id"]).text
    refused(431, admin, "moveUser", id=user)


def test_who_may_call_with_keys_the_user_says_else_its_account_else_its_domain(api: Api, admin: Client) -> None:
    account, ann = api.account("ann", domain=admin("createDomain", name="a")["domain"]["id"])
    user = account["user"][0]["id"]
    assert (account["apikeyaccess"], account["user"][0]["apikeyaccess"]) == ("INHERIT", "INHERIT")
    admin("updateConfiguration", name="api.key.access", value="false", domainid=account["domainid"])
    refused(401, ann, "listUsers")
    assert admin("updateAccount", id=account["id"], apikeyaccess="Enabled")["account"]["apikeyaccess"] == "ENABLED"
    ann("listUsers")
    assert "apikeyaccess" in refused(531, ann, "updateUser", id=user, apikeyaccess="Enabled").text
    admin("updateUser", id=user, apikeyaccess="Disabled")
    refused(401, ann, "listUsers")
    assert api.system("getUserKeys", id=user)["userkeys"]["apikeyaccess"] is False
    assert [u["id"] for u in api.system("listUsers", listall=True, apikeyaccess="Disabled")["user"]] == [user]
    assert [a["id"] for a in api.system("listAccounts", listall=True, apikeyaccess="Enabled")["account"]] == [account["id"]]


def test_passwords_are_what_the_domains_policy_wants(api: Api, admin: Client) -> None:
    domain = admin("createDomain", name="strict")["domain"]["id"]
    wanted = {
        "minimum.length": "8",
        "minimum.special.characters": "1",
        "minimum.uppercase.letters": "1",
        "minimum.lowercase.letters": "1",
        "minimum.digits": "1",
        "allowPasswordToContainUsername": "false",
        "regex": "[^ ]+",
    }
    for name, value in wanted.items():
        admin("updateConfiguration", name=f"password.policy.{name}", value=value, domainid=domain)
    who = {"email": "a@b.c", "firstname": "Ann", "lastname": "E", "accounttype": 0, "username": "ann", "domainid": domain}
    for password, lack in (
        ("Aa1!", "8 characters"),
        ("Aa1bcdef", "1 special"),
        ("aa1!bcde", "1 uppercase"),
        ("AA1!BCDE", "1 lowercase"),
        ("Aab!bcde", "1 digits"),
        ("xAnn1!xyz", "name"),
        ("Aa1! bcde", "regular expression"),
    ):
        error = refused(431, admin, "createAccount", password=password, **who).text
        assert "Parameter password" in error and lack in error
    made = admin("createAccount", password="Aa1!bcde", **who)["account"]
    refused(431, admin, "updateUser", id=made["user"][0]["id"], password="short")
    assert "password.policy.regex" in refused(
        431, admin, "updateConfiguration", name="password.policy.regex", value="["
    ).text
    api.account("bob")  # whose password is short, in a domain that wants nothing


def test_a_user_is_disabled_after_wrong_passwords_in_a_row(api: Api, admin: Client) -> None:
    account, _ = api.account("ann")
    admin("updateConfiguration", name="incorrect.login.attempts.allowed", value="3")

    def log_in(password: str) -> None:
        api.system("login", username="ann", password=password)

    def attempt(password: str) -> None:
        refused(531, api.system, "login", username="ann", password=password)

    attempt("wrong")
    attempt("wrong")
    log_in("secret")
    attempt("wrong")
    attempt("wrong")
    assert admin("listUsers", username="ann", listall=True)["user"][0]["state"] == "enabled"
    attempt("wrong")
    assert admin("listUsers", username="ann", listall=True)["user"][0]["state"] == "disabled"
    attempt("secret")
    admin("enableUser", id=account["user"][0]["id"])
    log_in("secret")
    for _ in range(5):
        refused(531, api.system, "login", username="admin", password="wrong")
    api.system("login", username="admin", password="password")


def test_what_stands_in_the_way_of_an_accounts_deletion_is_tried_again(api: Api, admin: Client) -> None:
    made, _ = api.account("ann")
    stuck = True

    async def hook(account: Account) -> None:
        if stuck and account.id == made["id"]:
            raise ResourceUnavailable("a host is down")

    accounts = api.manager.identity.accounts
    accounts.on_delete.append(hook)
    refused(534, admin, "deleteAccount", id=made["id"])
    (left,) = admin("listAccounts", iscleanuprequired=True, listall=True)["account"]
    assert (left["id"], left["state"], left["iscleanuprequired"]) == (made["id"], "disabled", True)
    assert api.run(accounts.clean_up(api.manager.jobs)) == 0
    stuck = False
    assert api.run(accounts.clean_up(api.manager.jobs)) == 1
    assert admin("listAccounts", id=made["id"]) == {}


def test_an_account_that_is_enabled_again_is_kept(api: Api, admin: Client) -> None:
    made, _ = api.account("ann")

    async def hook(account: Account) -> None:
        raise ResourceUnavailable("a host is down")

    accounts = api.manager.identity.accounts
    accounts.on_delete.append(hook)
    refused(534, admin, "deleteAccount", id=made["id"])
    assert admin("enableAccount", id=made["id"])["account"]["iscleanuprequired"] is False
    accounts.on_delete.clear()
    assert api.run(accounts.clean_up(api.manager.jobs)) == 0
    assert admin("listAccounts", id=made["id"])["account"][0]["state"] == "enabled"
