import Waiting
import Fixtures
import Foundation

/// Answers a program's questions for names under `.rebinding.test`, each time with the next of the given answers: a name
/// service in an attacker's hands. It is a library in front of the system's own; everything else goes there.
final class FakeNames: Sendable {
    private let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)

    /// For each name, its answers in order: addresses with commas between them. The last one stays.
    init(_ answers: [String: [String]]) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, answers) in answers {
            try answers.map { $0 + "\n" }.joined().write(
                to: folder.appending(path: name), atomically: true, encoding: .utf8)
        }
        let source = folder.appending(path: "names.c")
        try Self.source.write(to: source, atomically: true, encoding: .utf8)
        let compiler = Process()
        compiler.executableURL = URL(filePath: "/usr/bin/env")
        compiler.arguments = ["clang", "-shared", "-fPIC", "-o", library, source.path()]
        try compiler.run()
        compiler.waitUntilExit()
        guard compiler.terminationStatus == 0 else {
            throw NotInTime(description: "the names' library was not built: is Swift's clang on the path?")
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// What makes a program ask here.
    var environment: [String: String] { ["LD_PRELOAD": library, "FAKE_NAMES": folder.path()] }

    /// How often a name was asked for.
    func asked(_ name: String) -> Int {
        (try? String(contentsOf: folder.appending(path: "\(name).asked"), encoding: .utf8).utf8.count) ?? 0
    }

    private var library: String { folder.appending(path: "names.so").path() }

    private static let source = #"""
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <netdb.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>

        typedef int (*resolver)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

        int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **found) {
            resolver real = (resolver)dlsym(RTLD_NEXT, "getaddrinfo");
            const char *folder = getenv("FAKE_NAMES"), *end = name ? strstr(name, ".rebinding.test") : NULL;
            if (!folder || !end) return real(name, port, hints, found);
            char path[1024], line[256] = "", next[256];
            snprintf(path, sizeof path, "%s/%s.asked", folder, name);
            FILE *asked = fopen(path, "a");
            if (!asked) return EAI_FAIL;
            fputc('x', asked);
            long count = ftell(asked);
            fclose(asked);
            snprintf(path, sizeof path, "%s/%s", folder, name);
            FILE *answers = fopen(path, "r");
            if (!answers) return EAI_NONAME;
            for (long i = 0; i < count && fgets(next, sizeof next, answers); i++) strcpy(line, next);
            fclose(answers);
            struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
            *found = NULL;
            struct addrinfo **tail = found;
            for (char *address = strtok(line, ",\n"); address; address = strtok(NULL, ",\n")) {
                if (real(address, port, &numeric, tail) != 0) return EAI_FAIL;
                while (*tail) tail = &(*tail)->ai_next;
            }
            return *found ? 0 : EAI_NONAME;
        }
        """#
}
