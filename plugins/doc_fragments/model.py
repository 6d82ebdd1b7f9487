# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the public contract: who may come through, where to, and with what."""

from __future__ import annotations


class ModuleDocFragment:
    # The role's argument_specs.yml is generated from this text: run tools/role-specs after a change.
    DOCUMENTATION = r"""
options:
  server:
    description:
      - The sshd of the host.
    type: dict
    aliases: [access_server]
    suboptions:
      address:
        description:
          - What customers type to reach the host, a name or an address.
          - By default the inventory hostname.
        type: str
      port:
        description:
          - The port on which sshd listens.
        type: int
        default: 22
      admins:
        description:
          - The logins that must still work after every change.
          - By default the user as whom Ansible connects, who must be among them if the list is given.
          - An admin cannot be an account of the model.
        type: list
        elements: str
      only_listed:
        description:
          - Whether nobody but admins and listed accounts may log in.
        type: bool
        default: true
      crypto:
        description:
          - The algorithms that sshd offers. V(vendor) leaves the distribution's choice, V(modern) narrows it.
        type: str
        choices: [vendor, modern]
        default: vendor
      log_transfers:
        description:
          - Whether every open, close, rename and remove is logged to the system log, also from inside jails.
          - In this version nothing arrives from inside jails, since that takes a socket in the jail, which its account
            would see. Logins and their keys are logged in any case.
        type: bool
        default: true
      idle_timeout:
        description:
          - How long a session may be idle, a duration such as V(15m), V(12h) or V(1d). V(null) means for ever.
        type: str
        default: 15m
      max_auth_tries:
        description:
          - How many attempts to authenticate one connection may make, from 1 to 100.
        type: int
        default: 6
      confirm_within:
        description:
          - How long a change that could lock people out may stay without being confirmed over a new connection from the
            controller, a duration from V(5s) to V(1h). Then the host itself puts back what was there before.
          - Only connections through sshd are confirmed.
        type: str
        default: 2m
      max_startups:
        description:
          - How many connections may be waiting to authenticate, in the form C(START:RATE:FULL) of sshd.
          - From C(START) connections on, C(RATE) percent of new ones are refused, and all of them from C(FULL) on.
        type: str
        default: "100:30:500"
      password_policy:
        description:
          - What a plaintext password that is given to the collection must have.
        type: dict
        suboptions:
          min_length:
            description:
              - The least number of characters.
            type: int
            default: 12
          min_classes:
            description:
              - The least number of classes, of small letters, capitals, digits and everything else.
            type: int
            default: 3
      user_ca_keys:
        description:
          - The public keys of the SSH user certificate authorities that are trusted.
          - Not available in this version.
        type: list
        elements: str
        default: []
      global_keys:
        description:
          - Keys that open every listed account, and never root, an admin or a system user.
        type: list
        elements: dict
        default: []
        suboptions: &key
          name:
            description:
              - What the key is called, unique among the keys of its owner.
            type: str
            required: true
          key:
            description:
              - One public key as in a C(.pub) file, type and base64 text. A comment is dropped.
              - Ed25519, ECDSA, RSA of 2048 bits or more, and the hardware-bound C(sk-) types are accepted.
              - A key that carries options is refused.
            type: str
            required: true
          expires:
            description:
              - From when on the key opens nothing, in ISO 8601 with a zone such as V(2027-01-31T00:00:00Z).
              - A time in the past is valid and closes.
              - By default it does not expire.
            type: raw
          from:
            description:
              - The networks from which the key is accepted, in CIDR form or as single addresses.
              - Where the account has networks too, both must allow the address.
              - By default any.
            type: list
            elements: str
            default: []
      ban:
        description:
          - What becomes of a source address that fails to log in again and again. V(null) means nothing.
        type: dict
        suboptions:
          failures:
            description:
              - After how many failures an address is refused.
            type: int
            default: 10
          window:
            description:
              - Within what time these failures count, a duration such as V(10m).
            type: str
            default: 10m
          duration:
            description:
              - For how long the address is refused, a duration such as V(10m).
            type: str
            default: 10m
          exempt:
            description:
              - Networks that are never refused, in CIDR form or as single addresses.
            type: list
            elements: str
            default: []
      jails:
        description:
          - The directory in which the jails are made.
        type: str
        default: /srv/sftp
  people:
    description:
      - The persons, human or machine, who own keys.
    type: list
    elements: dict
    default: []
    aliases: [access_people]
    suboptions:
      name:
        description:
          - What the person is called in the model, in logs and in reports.
        type: str
        required: true
      keys:
        description:
          - The person's public keys. No other person may have the same key.
        type: list
        elements: dict
        default: []
        suboptions: *key
      state:
        description:
          - The keys of a person who is V(absent) open nothing.
        type: str
        choices: [present, absent]
        default: present
  teams:
    description:
      - Named sets of persons.
    type: list
    elements: dict
    default: []
    aliases: [access_teams]
    suboptions:
      name:
        description:
          - What the team is called.
        type: str
        required: true
      people:
        description:
          - The names of its persons, each of them one of O(people).
        type: list
        elements: str
        default: []
  folders:
    description:
      - The transfer folders of the host, which an application shares with accounts.
    type: list
    elements: dict
    default: []
    aliases: [access_folders]
    suboptions:
      name:
        description:
          - What the folder is called in grants and messages.
        type: str
        required: true
      path:
        description:
          - Where it lies on the host. It may not overlap another folder, nor lie in or above a system directory.
        type: str
        required: true
      owner:
        description:
          - The user as whom the application runs. It must exist on the host or be an account of the model, and it
            cannot be root.
        type: str
        required: true
      group:
        description:
          - The group of the folder, which is created if it is missing.
          - By default the group that has the name of the O(folders[].owner).
        type: str
      mode:
        description:
          - The permissions of the folder, three or four octal digits in quotes.
          - The owner needs all rights, and others never get to write.
        type: str
        default: "2770"
      sharing: &sharing
        description:
          - How both sides come to own every file.
          - V(mapped) shows files as the account's in the jail and as the application's on disk, whatever mode
            the client sends.
          - V(group) is a directory with the setgid bit and a common group, for hosts that can do no better.
        type: str
        choices: [mapped, group]
        default: mapped
      subfolders:
        description:
          - Names of directories that are made in it, with the same owner, group and mode.
        type: list
        elements: str
        default: []
      retention:
        description:
          - Files older than this duration are deleted. By default they are kept.
          - Not available in this version.
        type: str
      size_limit:
        description:
          - How much the folder may hold, such as V(500M) or V(50G). By default there is no limit.
          - Not available in this version.
        type: str
  accounts:
    description:
      - The logins of the host.
    type: list
    elements: dict
    default: []
    aliases: [access_accounts]
    suboptions:
      name:
        description:
          - The login, 32 characters at most of letters, digits, C(_), C(.) and C(-).
        type: str
        required: true
      kind:
        description:
          - V(sftp) is confined to its folders and has no shell, V(shell) is an unprivileged SSH user, V(tunnel)
            gets port forwards and nothing else.
        type: str
        choices: [sftp, shell, tunnel]
        default: sftp
      state:
        description:
          - V(suspended) keeps the user and its files and lets nobody in, V(absent) removes the user.
        type: str
        choices: [present, suspended, absent]
        default: present
      people:
        description:
          - The persons whose keys open the account, each of them one of O(people).
        type: list
        elements: str
        default: []
      teams:
        description:
          - The teams whose persons' keys open the account, each of them one of O(teams).
        type: list
        elements: str
        default: []
      keys:
        description:
          - Keys of the account itself.
        type: list
        elements: dict
        default: []
        suboptions: *key
      home_keys:
        description:
          - Whether keys in C(~/.ssh/authorized_keys), which the user may edit, are accepted too. Only for
            O(accounts[].kind=shell).
        type: bool
        default: false
      principals:
        description:
          - The certificate principals that are accepted for it. By default its name.
          - Not available in this version.
        type: list
        elements: str
        default: []
      password_hash:
        description:
          - The hash of its password, of yescrypt, scrypt, bcrypt or SHA-crypt. By default no password opens it.
        type: str
      password:
        description:
          - Its password as plain text from a vault, which is hashed on the controller. Not together with
            O(accounts[].password_hash).
          - Hashing takes about 4 ms for every account, every time. Give many accounts a O(accounts[].password_hash).
        type: str
      second_factor:
        description:
          - V(password) asks for the password after a key was accepted, V(totp) for a one-time code.
          - V(totp) is not available in this version.
        type: str
        choices: [none, password, totp]
        default: none
      from:
        description:
          - The networks from which one may log in by any means, in CIDR form or as single addresses.
          - By default any.
        type: list
        elements: str
        default: []
      expires:
        description:
          - From when on nobody can log in, in ISO 8601 with a zone such as V(2026-12-31T00:00:00Z).
          - The host itself sees to it, even if no play ever runs again.
          - By default it does not expire.
        type: raw
      folders:
        description:
          - What the account sees in its jail. Only for O(accounts[].kind=sftp).
          - Each entry has exactly one of O(accounts[].folders[].folder), O(accounts[].folders[].source),
            O(accounts[].folders[].private) and O(accounts[].folders[].hidden).
        type: list
        elements: dict
        default: []
        suboptions:
          at:
            description:
              - At which path the account sees it.
            type: str
            required: true
          rights:
            description:
              - What the account may do there.
              - V(drop_box) and V(no_delete) are not available in this version.
            type: str
            choices: [read_write, read_only, drop_box, no_delete]
            default: read_write
          folder:
            description:
              - The name of one of O(folders).
            type: str
          source:
            description:
              - The path of a directory on the host that is no declared folder.
            type: str
          private:
            description:
              - Whether it is a folder of the account's own, which lies in its jail.
            type: bool
            default: false
          hidden:
            description:
              - Whether this part of another grant of the same account is masked.
            type: bool
            default: false
          owner:
            description:
              - The user to whom the files of O(accounts[].folders[].source) belong on the host.
              - By default the present owner of the directory.
            type: str
          group:
            description:
              - The group to which the files of O(accounts[].folders[].source) belong on the host.
              - By default the present group of the directory.
            type: str
          sharing: *sharing
      start_in:
        description:
          - The directory in which a session starts. Only for O(accounts[].kind=sftp).
        type: str
        default: /
      umask:
        description:
          - The permissions that new files do not get, three or four octal digits in quotes.
        type: str
        default: "0007"
      existing:
        description:
          - Whether a user of that name which the collection did not create is refused, or managed and given back on
            removal.
        type: str
        choices: [refuse, manage]
        default: refuse
      uid:
        description:
          - The number of the user, from 1000 to 60000. By default it is allocated once and never given out again.
        type: int
      groups:
        description:
          - Supplementary groups, which are created if they are missing. The primary group bears the account's name.
        type: list
        elements: str
        default: []
      shell:
        description:
          - The login shell. Only for O(accounts[].kind=shell).
        type: str
        default: /bin/bash
      home:
        description:
          - The home directory. Only for O(accounts[].kind=shell). By default C(/home/NAME).
          - Nobody but root and the account may own a directory above it, or write there.
        type: str
      forwarding:
        description:
          - What the account may forward.
        type: dict
        suboptions:
          agent:
            description:
              - Whether the agent of the client may be forwarded. Only for O(accounts[].kind=shell).
            type: bool
            default: false
          local:
            description:
              - The destinations, a list of C(HOST:PORT), to which connections of the client may be forwarded.
            type: raw
            default: []
          remote:
            description:
              - The listeners, a list of C(HOST:PORT), that the client may open on the host. V(false) means none.
            type: raw
            default: false
          x11:
            description:
              - Whether graphical programs may be shown on the client. Only for O(accounts[].kind=shell).
            type: bool
            default: false
      sudo_tasks:
        description:
          - The names of those of O(sudo_tasks) that the account may do. Only for O(accounts[].kind=shell).
        type: list
        elements: str
        default: []
      max_sessions:
        description:
          - How many sessions one connection may open.
          - Another number than the default is not available in this version.
        type: int
        default: 10
      on_removal:
        description:
          - What becomes of the account's files when it is V(absent).
          - "V(keep) leaves them, V(delete) deletes them, C({give_to: NAME}) gives them to another user."
          - Only V(keep) is available in this version.
        type: raw
        default: keep
      note:
        description:
          - Free text, such as ticket, approver or contact. It is kept in the records and shown in reports.
        type: str
        default: ""
  sudo_tasks:
    description:
      - Named, specific things that accounts may do as another user.
      - Each has exactly one of O(sudo_tasks[].service), O(sudo_tasks[].service_pattern) and O(sudo_tasks[].commands).
    type: list
    elements: dict
    default: []
    aliases: [access_sudo_tasks]
    suboptions:
      name:
        description:
          - The command by which it is called.
        type: str
        required: true
      service:
        description:
          - A systemd service, which O(sudo_tasks[].actions) apply to.
        type: str
      service_pattern:
        description:
          - A regular expression that the whole name of a service must match. It is made of letters, digits, C(_),
            C(:), C(@), C(-), C(\\.), classes such as C([a-z0-9]) and the repetitions C(?), C(*), C(+) and C({1,3}).
        type: str
      protected:
        description:
          - Services that match O(sudo_tasks[].service_pattern) and can be neither stopped nor disabled.
        type: list
        elements: str
        default: []
      actions:
        description:
          - What may be done with the service.
        type: list
        elements: str
        choices: [status, start, stop, restart, reload, enable, disable]
        default: []
      run_as:
        description:
          - The user as whom O(sudo_tasks[].commands) run.
        type: str
        default: root
      commands:
        description:
          - Commands that run one after the other, each a list of a program's absolute path and its arguments.
        type: list
        elements: list
        default: []
  exclusive:
    description:
      - Whether what the collection created and the model no longer lists is removed.
    type: bool
    default: false
    aliases: [access_exclusive]
  proof:
    description:
      - Which accounts real logins prove before a change is kept, each with all that it can do and is refused.
      - V(changed) are those that the plan touched, and one of every policy class; of more than a hundred that it
        touched some, and of those that look different one each. V(sample) is one of every policy class.
      - Whatever is said here, a new configuration of sshd has let in every admin and an account of every policy class
        before it is used, and sudo lists exactly what was declared, or the change is undone.
    type: str
    choices: [all, changed, sample, none]
    default: changed
    aliases: [access_proof]
  model:
    description:
      - The resolved model as JSON. The action plugin sets it after validation, it is not for use in a task.
    type: str
  confirmation:
    description:
      - The controller's part in confirming a change. The action plugin sets it, it is not for use in a task.
    type: str
"""
