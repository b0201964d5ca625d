import Operations
import Testing

/// The audit's words for people.
struct AuditWordsTests {
    @Test("each action has words of its own", arguments: AuditAction.allCases)
    func actions(_ action: AuditAction) {
        let text = AuditWords.text(action.rawValue)
        #expect(text != action.rawValue && !text.contains("_") && !text.isEmpty)
        let others = AuditAction.allCases.filter { $0 != action }.map { AuditWords.text($0) }
        #expect(!others.contains(text))
    }

    @Test("what is not known stays as it is")
    func unknown() {
        #expect(AuditWords.text("test.1") == "test.1")
        #expect(
            AuditWords.name("strange_thing") == "strange thing" && AuditWords.name("webhook_id") == "webhook")
        #expect(AuditWords.value("nothing.known", of: "operation") == "nothing.known")
        #expect(AuditWords.value("no_reason", of: "reason_code") == "no_reason")
        #expect(AuditWords.value("soon", of: "expires_at") == "soon")
        #expect(
            AuditWords.value("2026-11-22T12:34:02+01:00", of: "expires_at") == "2026-11-22T12:34:02+01:00")
    }

    @Test("what is known is told")
    func known() {
        #expect(
            AuditWords.name("user_id") == "person"
                && AuditWords.name("provider_connection_id") == "connection")
        #expect(AuditWords.value("partially_succeeded", of: "outcome") == "partially succeeded")
        #expect(AuditWords.value("2026-11-22T12:34:02.1+00:00", of: "at") == "2026-11-22T12:34:02.1+00:00")
        #expect(AuditWords.value("2026-11-22T12:34:02.1Z", of: "expires_at") == "2026-11-22 12:34:02 UTC")
    }
}
