"""What systems call the columns of their exports, reduced to letters and digits in lower case without accents."""

from credly_cli.import_options import Kind

# A login may be an address, but is one only where the file has no other column for addresses.
LOGIN = ("user", "username", "login", "loginid")
ADDRESS = (
    "userdetailemail", "emailaddress", "learneremail", "studentemail", "participantemail", "attendeeemail",
    "employeeemail", "useremail", "learneremailaddress", "studentemailaddress", "useremailaddress", "usersemail",
    "workemail", "workemailaddress", "businessemail", "externalemail", "contactemail", "primaryemail",
    "primaryemailaddress", "emailprimary", "memberemail", "traineeemail", "candidateemail", "registrantemail",
    "schoolemail", "companyemail", "corporateemail", "personalemail", "mail", "mailaddress",
    "emailid", "mbox", "actormbox", "recipientemail", "issuedtoemail",
    "emailadresse", "mailadresse", "adressedecourriel", "adresseemail", "courriel", "adresseelectronique",
    "adressemail", "direcciondecorreo", "direcciondecorreoelectronico", "correoelectronico", "correo",
    "enderecodeemail", "correioeletronico", "enderecodecorreioeletronico", "indirizzoemail",
    "indirizzodipostaelettronica", "postaelettronica", "emailadres", "mailadres", "メールアドレス", "メール", "eメール",
)  # fmt: skip
EMAIL = (*ADDRESS, *LOGIN)
# What says of an address that it is somebody else's, or whether there is one.
NOT_THEIRS = (
    "manager", "supervisor", "boss", "instructor", "teacher", "trainer", "approver", "parent", "guardian", "sponsor",
    "organi", "host", "admin", "leader", "coach", "mentor", "tutor", "assessor", "reviewer", "owner", "author",
    "creat", "sender", "support", "billing", "emergency", "spouse", "vorgesetzt", "responsable", "jefe", "gestor",
    "chef", "leidinggevende", "status", "verified", "confirmed", "sent", "valid", "optin", "domain", "notification",
    "subscri", "consent", "bounce", "setting", "frequen", "enabled", "count", "date", "type", "language", "marketing",
    "template",
)  # fmt: skip
# Where the row has none in the first, whose address is in another? Only that of the same person.
SAME_ADDRESS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("email", *ADDRESS), ()),
    "userdetailemail": ("useremail", "user", "email"),
}
_WHOSE = (
    "user", "users", "learner", "student", "participant", "attendee", "employee", "member", "candidate", "trainee",
    "registrant", "recipient", "respondent", "contact", "legal",
)  # fmt: skip
FIRST_NAME = (
    "givenname", "forename", "forenames", "fname", "userdetailfirstname", "issuedtofirstname",
    *(f"{whose}{name}" for whose in _WHOSE for name in ("firstname", "givenname")),
    "vorname", "prenom", "primeironome", "voornaam", "fornavn", "fornamn", "etunimi", "имя", "名",
)  # fmt: skip
LAST_NAME = (
    "familyname", "surname", "lname", "userdetaillastname", "issuedtolastname",
    *(f"{whose}{name}" for whose in _WHOSE for name in ("lastname", "familyname", "surname")),
    "nachname", "familienname", "nomdefamille", "apellidos", "apellido", "apelido", "sobrenome", "cognome",
    "achternaam", "familienaam", "efternavn", "etternavn", "efternamn", "sukunimi", "nazwisko", "prijmeni", "soyad",
    "soyadi", "фамилия", "姓",
)  # fmt: skip
FULL_NAME = (
    "name", "username", "user", "displayname", "student", "studentname", "learner", "learnername", "actorname",
    "participantname", "userfullname", "usersfullname", "nameoriginalname", "usernameoriginalname",
    "nomcomplet", "nombrecompleto", "nomecompleto", "vollstandigername", "volledigenaam", "氏名", "名前",
)  # fmt: skip
# What is one of the two names where the file has a column for the other: Nom beside Prénom, or user_name beside
# user_surname.
OTHER_NAME = ("name", "nom", "naam", "nome", "nombre", "nombres", "navn", "namn", "imie", "jmeno", "ad")
BESIDE_SURNAME = {"usersurname": "username"}
ROLE = (
    "rolename", "roles", "courserole", "userrole", "enrollmentrole", "enrolmentrole", "memberrole", "membershiprole",
    "participantrole", "roleincourse", "rolesincourse", "classrole", "sectionrole", "courseroles", "userroles",
    "rolle", "rollen", "ruolo", "rol", "papel",
)  # fmt: skip
LEARNER_ID = ("userid", "studentid")
FOREIGN_LEARNER_ID = (
    "employeeid", "externalcustomerid", "userdetailid", "userdetailexternalcustomerid", "sourcedid", "sisid",
)  # fmt: skip
CONTENT_ID = ("courseid", "activityid", "objectid", "learningpathid", "coursesku", "sku", "courseslug")
TITLE = (
    "contenttitle", "coursetitle", "coursename", "contentname", "course", "title", "content", "learningpathtitle",
    "module", "trainingtitle", "trainingname", "itemtitle", "entitytitle",
)  # fmt: skip
PANORAMA = (
    "panoramaname", "panoramaid", "client", "clientname", "clientid", "userdetailclient", "portal",
)  # fmt: skip
LICENSE = ("license", "licenseid", "licensename")  # of a tenant's learners; of others it is one to practise
SUBLICENSE = ("sublicenseid", "sublicensename", *LICENSE)

# The columns of each kind, by our own name, with the names that they have elsewhere.
COLUMNS: dict[Kind, dict[str, tuple[str, ...]]] = {
    "learners": {
        "email": EMAIL,
        "first_name": FIRST_NAME,
        "last_name": LAST_NAME,
        "full_name": FULL_NAME,
        "learner_id": (*LEARNER_ID, "id", *FOREIGN_LEARNER_ID),
        "panorama": PANORAMA,
        "sublicense": SUBLICENSE,
        "locale": ("lang", "language", "preferredlanguage"),
    },
    "content": {
        "content_id": (*CONTENT_ID, "id", "slug"),
        "title": ("contenttitle", "coursetitle", "coursename", "name", "course", "content", "learningpathtitle"),
        "type": ("contenttype", "kind"),
        "status": ("contentstatus", "coursestatus"),
        "released": ("isreleased", "published", "ispublished", "visible"),
        "released_at": ("releasedate", "publishedat", "publishdate", "futurepublishdate"),
        "url": ("link", "contenturl", "courseurl"),
        "group_id": ("coursegroup", "coursegroupid"),
        "session_id": ("displaycourse",),
        "session_title": ("sessionname",),
        "panoramas": ("panorama", *PANORAMA),
        "sublicenses": ("sublicense", *SUBLICENSE),
    },
    "progress": {
        "email": EMAIL,
        "learner_id": ("userid", "studentid", *FOREIGN_LEARNER_ID),
        "content_id": CONTENT_ID,
        "session_id": ("notifiableid",),
        "content_title": TITLE,
        "progress": (
            "percent", "percentcomplete", "percentagecomplete", "percentagecompleted",
            "completion", "completionpercentage",
            "percentcompleted", "progresspercent", "progresspercentage", "completionpercent", "overallprogress",
            "courseprogress", "courseprogresspercent",
        ),
        "status": (
            "coursecompletionstatus", "enrollmentstatus", "enrolmentstatus", "transcriptstatus", "trainingstatus",
            "learningstatus", "lessonstatus", "progressstatus", "kursstatus", "lernstatus", "statut", "ステータス",
            "verbid", "completed", "coursecompleted",
        ),
        "enrolled_at": (
            "enrolledon", "enrollmentdate", "enrolmentdate", "dateenrolled", "enrolleddate", "startedat",
            "datestarted", "startedon", "startdate",
        ),
        "completed_at": (
            "completiondate", "datecompleted", "completed", "timecompleted", "coursecomplete", "completedon",
            "completeddate", "finishedon", "finishedat", "progresscompletedat", "coursecompletedon",
            "coursecompletiondate", "coursecompletedat",
        ),
        "event_id": ("statementid", "messageid", "id"),
        "first_name": FIRST_NAME,
        "last_name": LAST_NAME,
        "full_name": FULL_NAME,
        "role": ROLE,
        "type": (),
        "source": (),
        "event": ("action",),
        "timestamp": (),
    },
    "access": {
        "content_id": (*CONTENT_ID, "id"),
        "email": EMAIL,
        "panorama": PANORAMA,
        "sublicense": SUBLICENSE,
    },
}  # fmt: skip

# What a name of our own gives way to: a bare status is often that of the account, a bare date that of a part.
BEFORE_OWN: dict[tuple[Kind, str], tuple[str, ...]] = {
    ("progress", "status"): ("completionstatus", "coursecompletionstatus", "coursestatus"),
    ("progress", "completed_at"): ("coursecompletedat", "coursecompletedon", "coursecompletiondate"),
}
# Of each group a file needs one.
REQUIRED: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "learners": (("email",),),
    "content": (("content_id",), ("title",)),
    "progress": (("email", "learner_id"), ("content_id", "session_id", "content_title")),
    "access": (("content_id",), ("email", "panorama", "sublicense")),
}
# Of these a row uses the first that it has, so naming one by --map takes the others' aliases away.
ALTERNATIVES: dict[Kind, tuple[str, ...]] = {
    "learners": (),
    "content": (),
    "progress": ("content_id", "session_id", "content_title"),
    "access": ("email", "panorama", "sublicense"),
}
# What else says how an enrollment ended: a failure there is one, whatever the status says; that of a part ("Module 1
# result") is none.
OUTCOME = frozenset({
    *(
        f"{whose}{word}"
        for whose in (
            "", "success", "lesson", "transcript", "training", "learning", "attendance", "progress", "pass", "passing",
            "completion", "course", "coursecompletion", "enrollment", "enrolment", "final", "overall", "exam", "test",
            "assessment", "quiz", "score", "learner", "student", "participant", "grade", "grading", "mastery",
        )
        for word in ("status", "result", "results", "outcome", "grade")
    ),
    "passfail", "passedfailed", "passorfail", "attendance", "statut", "estado", "stato", "ergebnis", "resultat",
    "resultado", "risultato", "esito", "resultaat", "結果", "合否",
})  # fmt: skip
# Here a mere no is a failure.
WHETHER_PASSED = frozenset({
    "passed", "haspassed", "ispassed", "pass", "success", "successful", "issuccess", "issuccessful", "coursepassed",
    "quizpassed", "testpassed", "exampassed", "assessmentpassed", "attended", "bestanden", "reussi", "aprobado",
    "aprovado", "superato", "geslaagd", "合格", "achieved", "mastered", "passinggradeachieved", "passgradeachieved",
    "achievedpassgrade", "completedsuccessfully", "successfullycompleted", "successfulcompletion", "metpassgrade",
})  # fmt: skip
LIKE_COMPLETION = (
    "complet", "finish", "status", "passed", "result", "attend", "timestamp", "leave", "verlassen",
    "depart", "salida", "abgeschl", "abschl", "termin", "achev",
    "realis", "finaliz", "conclu", "voltooi", "afgerond", "statut", "estado", "stato", "esito", "zeitstempel",
    "horodat", "marcatemporal", "carimbo", "tijdstempel", "informazionicronologiche",
    "完了", "修了", "状", "タイムスタンプ",
)  # fmt: skip
