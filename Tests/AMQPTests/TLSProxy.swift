import Foundation
import Testing

@testable import AMQP

/// Certificates for `localhost`, made by the openssl program in a folder of the test's own.
struct TestCertificates {
    let folder: URL

    /// An authority, a server certificate for `localhost` and one for another name, both signed by it, and
    /// another authority.
    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try authority("ca")
        try authority("other-ca")
        try server("good", name: "localhost")
        try server("wrong-name", name: "broker.example")
    }

    func path(_ file: String) -> String { folder.appending(path: file).path }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    private func authority(_ name: String) throws {
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
            "-subj", "/CN=\(name)", "-keyout", path("\(name).key"), "-out", path("\(name).pem"))
    }

    private func server(_ file: String, name: String) throws {
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
            "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name)", "-CA", path("ca.pem"), "-CAkey",
            path("ca.key"), "-keyout", path("\(file).key"), "-out", path("\(file).pem"))
    }

    private func openssl(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl \(arguments)")
    }
}

/// A TLS peer before the tests' broker: a small Python program that ends TLS and forwards the bytes.
final class TLSProxy {
    let port: Int
    private let process = Process()

    /// `version` is the only TLS version that it speaks, in the words of Python's `ssl.TLSVersion`.
    init(_ certificates: TestCertificates, certificate: String, version: String = "TLSv1_3") throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c", Self.program, certificates.path("\(certificate).pem"),
            certificates.path("\(certificate).key"), String(try TestBroker.address().nodes[0].port), version,
        ]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        port = try #require(
            Int(line.trimmingCharacters(in: .whitespacesAndNewlines)), "python3 did not start")
    }

    deinit { process.terminate() }

    private static let program = """
        import socket, ssl, sys, threading
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion[sys.argv[4]]
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        def serve(client):
            try:
                client.do_handshake()
                server = socket.create_connection(("127.0.0.1", int(sys.argv[3])))
            except OSError:
                return client.close()
            def upward():
                try:
                    while data := client.recv(65536): server.sendall(data)
                except OSError: pass
                server.close()
            threading.Thread(target=upward, daemon=True).start()
            try:
                while data := server.recv(65536): client.sendall(data)
            except OSError: pass
            client.close()
        while True:
            plain, _ = listener.accept()
            client = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            threading.Thread(target=serve, args=(client,), daemon=True).start()
        """
}
