import Foundation
import Inference
import JSON
import StandIns
import Testing

@testable import API

/// The answer of `POST /v1/embeddings`.
private func embed(
    _ body: String, _ application: Application = Application(service: StandInService())
) -> Response {
    ask("POST", "/v1/embeddings", body, to: application)
}

private struct Answer: Decodable {
    struct Entry: Decodable {
        var object: String
        var index: Int
        var embedding: [Float]
    }
    struct Usage: Decodable {
        var prompt_tokens: Int
        var total_tokens: Int
    }
    var object: String
    var data: [Entry]
    var model: String
    var usage: Usage
}

private struct Fault: Decodable {
    struct Details: Decodable {
        var message: String
        var type: String
        var param: String?
        var code: String?
    }
    var error: Details
}

private func fault(_ response: Response) throws -> Fault.Details {
    try JSONDecoder().decode(Fault.self, from: Data(response.body)).error
}

private let plain = #""model":"all-MiniLM-L6-v2""#
private let denoised = #""model":"all-MiniLM-L6-v2-denoised""#

@Suite struct `OpenAI's embeddings` {
    @Test(arguments: [#""ab""#, #"["ab"]"#])
    func `of a string and of a list have the same shape`(input: String) throws {
        let response = embed("{\(plain),\"input\":\(input),\"user\":null,\"x\":{}}")
        #expect(response.status == 200)
        let answer = try JSONDecoder().decode(Answer.self, from: Data(response.body))
        #expect(answer.object == "list")
        #expect(answer.data.map(\.index) == [0])
        #expect(answer.data[0].object == "embedding")
        #expect(answer.data[0].embedding.prefix(3) == [97, 98, 0])
        #expect(answer.data[0].embedding.count == 384)
        #expect(answer.model == "all-MiniLM-L6-v2")
        #expect(answer.usage.prompt_tokens == 3 && answer.usage.total_tokens == 3)
        #expect(response["x-model-version"] == nil)
        #expect(response["openai-processing-ms"].flatMap { Int($0) } != nil)
        #expect(response["server-timing"]?.contains("total;dur=") == true)
    }

    @Test func `keep the order of the list, and an empty text is a text`() throws {
        let texts = (0..<40).map { "\"\($0 % 10)\"" } + ["\"\""]
        let response = embed("{\(plain),\"input\":[\(texts.joined(separator: ","))]}")
        let answer = try JSONDecoder().decode(Answer.self, from: Data(response.body))
        #expect(answer.data.map(\.index) == Array(0...40))
        let first: [Float] = (0..<40).map { Float(48 + $0 % 10) } + [0]
        #expect(answer.data.map { $0.embedding[0] } == first)
    }

    @Test func `in base64 are the same numbers`() throws {
        let body = #""input":["ab","c"],"encoding_format":"#
        let numbers = try JSONDecoder().decode(
            Answer.self, from: Data(embed("{\(plain),\(body)\"float\"}").body))
        let response = embed("{\(plain),\(body)\"base64\"}")
        guard case .object(let object) = try JSONValue(parsing: response.body),
            case .array(let data) = object["data"]
        else {
            Issue.record("\(text(response))")
            return
        }
        for (entry, expected) in zip(data, numbers.data) {
            guard case .object(let members) = entry, case .string(let code) = members["embedding"]
            else {
                Issue.record("\(entry)")
                return
            }
            let bytes = try #require(Data(base64Encoded: code))
            let values = (0..<384).map { i in
                Float(
                    bitPattern: (0..<4).reduce(0) {
                        $0 | UInt32(bytes[4 * i + $1]) << (8 * UInt32($1))
                    })
            }
            #expect(values == expected.embedding)
        }
    }

    @Test func `are cut to the dimensions asked for, and have length one then`() throws {
        for (dimensions, expected) in [("2", [0.6, 0.8]), ("1", [1]), ("null", nil)]
            as [(String, [Float]?)]
        {
            let response = embed(
                "{\(plain),\"input\":\"\\u0003\\u0004\",\"dimensions\":\(dimensions)}")
            let answer = try JSONDecoder().decode(Answer.self, from: Data(response.body))
            #expect(
                answer.data[0].embedding == expected ?? [3, 4] + [Float](repeating: 0, count: 382))
        }
    }

    @Test func `are denoised if the model's name or the member says so`() throws {
        let application = Application(service: StandInService(offset: 1, modelVersion: "v9"))
        for (body, isDenoised) in [
            ("{\(denoised),\"input\":\"a\"}", true),
            ("{\(plain),\"input\":\"a\",\"denoise\":true}", true),
            ("{\(denoised),\"input\":\"a\",\"denoise\":false}", false),
            ("{\(denoised),\"input\":\"a\",\"denoise\":null,\"noise_level\":0.5}", true),
        ] {
            let response = embed(body, application)
            #expect(response.status == 200)
            #expect(response["x-model-version"] == (isDenoised ? "v9" : nil))
        }
        let vectors = "[\(embedding()),\(embedding([3: "2"]))]"
        let response = embed("{\(denoised),\"input\":\(vectors)}", application)
        let answer = try JSONDecoder().decode(Answer.self, from: Data(response.body))
        #expect(answer.data[1].embedding[3] == 3)
        #expect(answer.usage.total_tokens == 0)
    }

    @Test(
        arguments: [
            ("", nil, "empty"), ("[", nil, "not JSON"), ("[]", nil, "no JSON object"),
            ("{}", "model", "model parameter"), ("{\(plain)}", "input", "input parameter"),
            (#"{"model":7,"input":"a"}"#, "model", "string"),
            ("{\(plain),\"input\":null}", "input", "input parameter"),
            ("{\(plain),\"input\":[]}", "input", "empty list"),
            ("{\(plain),\"input\":7}", "input", "string"),
            ("{\(plain),\"input\":[\"a\",7]}", "input", "input[1]"),
            ("{\(plain),\"input\":[101,102]}", "input", "check_embedding_ctx_length=False"),
            ("{\(plain),\"input\":[[101,102],[7]]}", "input", "check_embedding_ctx_length=False"),
            ("{\(plain),\"input\":[[0.5,1]]}", "input", "has 2 numbers"),
            ("{\(plain),\"input\":[[0.5,\"a\"]]}", "input", "input[0][1]"),
            ("{\(plain),\"input\":[[\"a\"]]}", "input", "input[0][0]"),
            ("{\(plain),\"input\":[\(embedding())]}", "input", "for denoising"),
            ("{\(denoised),\"input\":[\(embedding()),\"a\"]}", "input", "input[1]"),
            ("{\(denoised),\"input\":[\(embedding([1: "1e60"]))]}", "input", "input[0][1]"),
            ("{\(plain),\"input\":\"a\",\"encoding_format\":\"int8\"}", "encoding_format", "int8"),
            ("{\(plain),\"input\":\"a\",\"encoding_format\":1}", "encoding_format", "base64"),
            ("{\(plain),\"input\":\"a\",\"dimensions\":385}", "dimensions", "1 to 384"),
            ("{\(plain),\"input\":\"a\",\"dimensions\":0}", "dimensions", "1 to 384"),
            ("{\(plain),\"input\":\"a\",\"dimensions\":2.0}", "dimensions", "integer"),
            (
                "{\(plain),\"input\":\"a\",\"dimensions\":1\(String(repeating: "0", count: 400))}",
                "dimensions", "1 to 384"
            ),
            ("{\(plain),\"input\":\"a\",\"denoise\":1}", "denoise", "true or false"),
            ("{\(denoised),\"input\":\"a\",\"noise_level\":-1}", "noise_level", "at least 0"),
            ("{\(denoised),\"input\":\"a\",\"noise_level\":NaN}", "noise_level", "at least 0"),
            ("{\(plain),\"input\":\"a\",\"noise_level\":0.1}", "noise_level", "denoised"),
        ] as [(String, String?, String)])
    func `name the member that is wrong`(body: String, parameter: String?, part: String) throws {
        let response = embed(body)
        #expect(response.status == 400)
        let fault = try fault(response)
        #expect(fault.param == parameter)
        #expect(fault.message.contains(part), "\(fault.message)")
        #expect(fault.type == "invalid_request_error")
        #expect(response.route == "/v1/embeddings")
    }

    @Test func `of more than 2,048 texts are refused with both numbers`() throws {
        let texts = { (count: Int) in
            "{\(plain),\"input\":[\(repeatElement("\"a\"", count: count).joined(separator: ","))]}"
        }
        #expect(embed(texts(2_048)).status == 200)
        let fault = try fault(embed(texts(2_049)))
        #expect(fault.message.contains("2049") && fault.message.contains("2048"))
    }

    @Test func `are refused as a client of OpenAI can act on`() throws {
        func status(_ error: InferenceError) throws -> (Int, String?, Fault.Details) {
            let response = embed(
                "{\(plain),\"input\":\"a\"}", Application(service: StandInService(error: error)))
            return (response.status, response["retry-after-ms"], try fault(response))
        }
        let busy = try status(.overloaded(retryAfter: 3))
        #expect(busy.0 == 429 && busy.1 == "3000" && busy.2.code == "rate_limit_exceeded")
        #expect(try status(.tooLate).0 == 429)
        // It may fit when those before it are done.
        let crowded = TooMuchWork(tokens: 100, ahead: 900, seconds: 50, secondsLeft: 30)
        #expect(try status(.tooMuchWork(crowded)).0 == 429)
        // It never fits, so that no client should try again.
        let large = TooMuchWork(tokens: 1_000, ahead: 0, seconds: 50, secondsLeft: 30)
        let refused = try status(.tooMuchWork(large))
        #expect(refused.0 == 400 && refused.1 == nil)
        #expect(refused.2.message.contains("1000 tokens") && refused.2.message.contains("30.0"))
        #expect(try status(.modelNotLoaded).0 == 503)
        #expect(try status(.encoderChanged(retryAfter: 1)).0 == 503)
        #expect(try status(.failed("x")).2.type == "server_error")
    }

    @Test func `need a key as other routes do`() throws {
        let application = Application(
            service: StandInService(), keys: try AccessKeys(parsing: "use 0123456789abcdef"))
        let response = embed("{\(plain),\"input\":\"a\"}", application)
        #expect(response.status == 401)
        #expect(try fault(response).code == "invalid_api_key")
        #expect(ask("GET", "/v1/models", to: application).status == 401)
    }

    @Test func `need a body that is called JSON`() throws {
        let response = ask("POST", "/v1/embeddings", "{}", type: "text/plain")
        #expect(response.status == 400)
        #expect(try fault(response).message.contains("application/json"))
    }
}

@Suite struct `OpenAI's models` {
    private let application = Application(
        service: StandInService(),
        models: ServedModels(aliases: [
            ("text-embedding-3-small", ServedModels.plain), ("a/b", ServedModels.denoised),
        ]))

    @Test func `are listed, and each is told by its name`() throws {
        let list = text(ask("GET", "/v1/models", to: application))
        for name in [
            "all-MiniLM-L6-v2", "all-MiniLM-L6-v2-denoised", "text-embedding-3-small", "a/b",
        ] {
            let one = ask("GET", "/v1/models/\(name)", to: application)
            #expect(one.status == 200)
            #expect(list.contains(text(one)))
            #expect(text(one).contains("\"id\":\"\(name)\",\"object\":\"model\",\"created\":"))
            #expect(one.route == "/v1/models/{model}")
        }
    }

    @Test func `answer under an alias, which the answer names`() {
        let response = embed(#"{"model":"a/b","input":"a"}"#, application)
        #expect(response["x-model-version"] != nil)
        #expect(text(response).contains(#""model":"a/b""#))
    }

    @Test func `of other names are not found, and those that there are are told`() throws {
        for response in [
            ask("GET", "/v1/models/gpt-4", to: application),
            embed(#"{"model":"gpt-4","input":"a"}"#, application),
        ] {
            #expect(response.status == 404)
            let fault = try fault(response)
            #expect(fault.code == "model_not_found")
            for name in ServedModels.names { #expect(fault.message.contains("`\(name)`")) }
        }
    }

    @Test func `have neighbours that do not exist, in the same shape`() throws {
        for path in ["/v1/", "/v1/x", "/v1/chat/completions", "/v1/embeddings/x"] {
            let response = ask("POST", path)
            #expect(response.status == 404)
            #expect(try fault(response).code == "not_found")
        }
        #expect(ask("GET", "/v1/models/").status == 307)
        #expect(text(ask("GET", "/v1x")) == #"{"detail":"Not Found"}"#)
        #expect(try fault(ask("GET", "/v1/embeddings")).code == "method_not_allowed")
    }
}

@Suite struct `Similarity` {
    @Test(
        arguments: [
            #"{"source":"ab","sentences":["ab","","b"]}"#,
            #"{"inputs":{"source_sentence":"ab","sentences":["ab","","b"]}}"#,
        ])
    func `is the cosine of each text and the source`(body: String) throws {
        let response = ask("POST", "/similarity", body)
        #expect(response.status == 200)
        let cosines = try JSONDecoder().decode([Double].self, from: Data(response.body))
        #expect(cosines.count == 3)
        #expect(abs(cosines[0] - 1) < 1e-12)
        #expect(cosines[1] == 0)
        #expect(abs(cosines[2] - 97 / (97.0 * 97 + 98 * 98).squareRoot()) < 1e-12)
    }

    @Test(
        arguments: [
            ("", #"["body"]"#), ("[]", #"["body"]"#),
            ("{}", #"["body","source"]"#),
            (#"{"source":1,"sentences":["a"]}"#, #"["body","source"]"#),
            (#"{"source":"a","sentences":[]}"#, #"["body","sentences"]"#),
            (#"{"source":"a","sentences":"a"}"#, #"["body","sentences"]"#),
            (#"{"source":"a","sentences":["a",1]}"#, #"["body","sentences",1]"#),
            (#"{"source":"a","sentences":["a"],"denoise":1}"#, #"["body","denoise"]"#),
            (#"{"inputs":{"source_sentence":"a"}}"#, #"["body","inputs","sentences"]"#),
        ])
    func `says where a body is wrong, in FastAPI's shape`(body: String, place: String) {
        let response = ask("POST", "/similarity", body)
        #expect(response.status == 422)
        #expect(text(response).contains("\"loc\":\(place)"), "\(text(response))")
    }

    @Test func `of denoised embeddings names the model`() {
        let body = #"{"source":"a","sentences":["a"],"denoise":true}"#
        #expect(ask("POST", "/similarity", body)["x-model-version"] == "v7")
    }
}

@Suite struct `The page of facts` {
    @Test func `tells versions, limits and the model`() throws {
        let response = ask("GET", "/info")
        #expect(response.status == 200)
        guard case .object(let facts) = try JSONValue(parsing: response.body),
            case .object(let denoiser) = facts["denoiser"],
            case .object(let limits) = facts["limits"]
        else {
            Issue.record("\(text(response))")
            return
        }
        #expect(facts["version"] == .string(productVersion))
        #expect(denoiser["version"] == "v7")
        #expect(limits["texts"] == .integer(Limits().texts))
        #expect(facts["tokens_per_second"] == .null)
    }

    @Test func `tells that there is no model`() {
        let response = ask(
            "GET", "/info", to: Application(service: StandInService(isModelLoaded: false)))
        #expect(response.status == 200)
        #expect(text(response).contains(#""denoiser":null"#))
    }
}
