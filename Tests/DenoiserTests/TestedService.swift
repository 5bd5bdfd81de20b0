import API
import Foundation
import Inference
import System
import TestSupport

@testable import FastCGI
@testable import denoiser

/// What a configuration makes, on a small encoder, in a folder of its own.
struct TestedService {
    let folder: String
    let state = ServiceState(runs: TrainingRuns())

    /// The model's file.
    var model: String { folder + "/model.pt" }

    init(in folder: String) throws {
        self.folder = folder
        try SmallEncoder.write(to: folder + "/encoder")
    }

    /// The configuration of these options, with the folder's encoder and model.
    func configuration(_ arguments: [String]) throws -> ServiceConfiguration {
        let own = [
            "--encoder", folder + "/encoder", "--model", model, "--compute-threads", "1",
            "--epochs", "1", "--denoiser", "autoencoder", "--activate", "always",
        ]
        return try Serve.configuration(reading: own + arguments)
    }

    /// What these options make, after `previous`.
    func snapshot(
        _ arguments: String..., after previous: ServiceSnapshot? = nil
    ) throws -> ServiceSnapshot {
        try ServiceSnapshot(configuration(arguments), after: previous, state)
    }

    /// Answers on a Unix socket by `snapshot` while `body` runs.
    func serving(_ snapshot: ServiceSnapshot, _ body: (Client) throws -> Void) throws {
        let path = folder + "/s"
        let admission = AdmissionControl(current: Replaceable(snapshot), metrics: state.metrics)
        let server = try Server(
            Listener(path: path), limits: snapshot.configuration.limits.serverLimits,
            triage: admission.triage)
        let thread = Thread {
            _ = try? server.run { exchange in snapshot.handler.answer(exchange) }
        }
        thread.start()
        defer {
            server.stop()
            _ = eventually { thread.isFinished }
        }
        try body(Client(path: path, statistics: { server.statistics }))
    }
}

/// Asks over FastCGI, a connection for each request.
struct Client {
    let path: String
    /// The server's counts.
    let statistics: () -> Statistics

    struct Unreachable: Error {}

    func ask(
        _ target: String, _ body: String = "", method: String? = nil,
        type: String = "application/json", more: [(String, String)] = []
    ) throws -> Peer.Reply {
        let method = method ?? (body.isEmpty ? "GET" : "POST")
        return try send(
            Wire.request(
                target, method: method, body: Array(body.utf8),
                more: [("CONTENT_TYPE", type)] + more))
    }

    /// Sends these records; what comes back for request 1.
    func send(_ records: [UInt8]) throws -> Peer.Reply {
        guard let peer = Peer(path: path), peer.send(records), let reply = peer.reply() else {
            throw Unreachable()
        }
        return reply
    }

    /// Uploads `text`.
    func upload(_ text: String) throws -> Peer.Reply {
        let form =
            "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n"
            + text + "\r\n--X--\r\n"
        return try ask("/upload/", form, type: "multipart/form-data; boundary=X")
    }
}
