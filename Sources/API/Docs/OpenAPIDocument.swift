internal import JSON

/// `GET /openapi.json`: the document FastAPI makes of the original application.
///
/// Its paths and schemas stand unchanged, but for the `format` of an upload's file, without which
/// clients made from the document send no file. What FastAPI leaves undocumented stands beside them, under
/// `components.responses`: any route that takes a body may give those.
enum OpenAPIDocument {
    /// The document below a mount point, which then stands under `servers`.
    static func respond(to request: Request) -> Response {
        guard !request.rootPath.isEmpty else { return .json(status: 200, bytes: printed) }
        var body = Array(printed.dropLast())
        body.append(contentsOf: #","servers":"#.utf8)
        JSONValue.array([["url": .string(request.rootPath)]]).write(into: &body)
        body.append(UInt8(ascii: "}"))
        return .json(status: 200, bytes: body)
    }

    /// The document as FastAPI prints it.
    private static let printed: [UInt8] = {
        var bytes: [UInt8] = []
        do {
            let tree = try JSONTree(JSONText(decoding: Array(text.utf8)), depth: 64)
            tree.write(tree.root, into: &bytes)
        } catch {
            preconditionFailure("the document is not JSON: \(error)")
        }
        return bytes
    }()

    // Read by people here, printed without white space at first use.
    private static let text = #"""
        {
          "openapi": "3.1.0",
          "info": {
            "title": "嵌入向量去噪 API",
            "description": "使用自動編碼器對文本嵌入向量進行去噪",
            "version": "1.0.0"
          },
          "paths": {
            "/": {
              "get": {
                "summary": "Root",
                "description": "API根路徑，返回簡單的歡迎信息",
                "operationId": "root__get",
                "responses": {
                  "200": {
                    "description": "Successful Response",
                    "content": {"application/json": {"schema": {}}}
                  }
                }
              }
            },
            "/denoise/text": {
              "post": {
                "summary": "Denoise Text",
                "description": "基於文本的去噪API\n\n將文本編碼為嵌入向量，然後進行去噪處理",
                "operationId": "denoise_text_denoise_text_post",
                "requestBody": {
                  "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/TextDenoiseRequest"}}
                  },
                  "required": true
                },
                "responses": {
                  "200": {
                    "description": "Successful Response",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/DenoiseResponse"}}
                    }
                  },
                  "422": {
                    "description": "Validation Error",
                    "content": {
                      "application/json": {
                        "schema": {"$ref": "#/components/schemas/HTTPValidationError"}
                      }
                    }
                  }
                }
              }
            },
            "/denoise/embedding": {
              "post": {
                "summary": "Denoise Embedding",
                "description": "基於嵌入向量的去噪API\n\n直接處理提供的嵌入向量，進行去噪處理",
                "operationId": "denoise_embedding_denoise_embedding_post",
                "requestBody": {
                  "content": {
                    "application/json": {
                      "schema": {"$ref": "#/components/schemas/EmbeddingDenoiseRequest"}
                    }
                  },
                  "required": true
                },
                "responses": {
                  "200": {
                    "description": "Successful Response",
                    "content": {
                      "application/json": {"schema": {"$ref": "#/components/schemas/DenoiseResponse"}}
                    }
                  },
                  "422": {
                    "description": "Validation Error",
                    "content": {
                      "application/json": {
                        "schema": {"$ref": "#/components/schemas/HTTPValidationError"}
                      }
                    }
                  }
                }
              }
            },
            "/health": {
              "get": {
                "summary": "Health Check",
                "description": "健康檢查端點",
                "operationId": "health_check_health_get",
                "responses": {
                  "200": {
                    "description": "Successful Response",
                    "content": {"application/json": {"schema": {}}}
                  }
                }
              }
            },
            "/upload/": {
              "post": {
                "summary": "Upload File",
                "operationId": "upload_file_upload__post",
                "requestBody": {
                  "content": {
                    "multipart/form-data": {
                      "schema": {"$ref": "#/components/schemas/Body_upload_file_upload__post"}
                    }
                  },
                  "required": true
                },
                "responses": {
                  "200": {
                    "description": "Successful Response",
                    "content": {"application/json": {"schema": {}}}
                  },
                  "422": {
                    "description": "Validation Error",
                    "content": {
                      "application/json": {
                        "schema": {"$ref": "#/components/schemas/HTTPValidationError"}
                      }
                    }
                  }
                }
              }
            }
          },
          "components": {
            "responses": {
              "400": {
                "description": "The body is no JSON text in UTF-8, UTF-16 or UTF-32, or no form",
                "content": {
                  "application/json": {"schema": {"$ref": "#/components/schemas/HTTPError"}}
                }
              },
              "413": {
                "description": "The body is longer than the limit",
                "content": {
                  "application/json": {"schema": {"$ref": "#/components/schemas/HTTPError"}}
                }
              },
              "500": {
                "description": "A fault of the service",
                "content": {
                  "application/json": {"schema": {"$ref": "#/components/schemas/HTTPError"}}
                }
              },
              "503": {
                "description": "No model is loaded, or the service is busy: Retry-After says for how long",
                "content": {
                  "application/json": {"schema": {"$ref": "#/components/schemas/HTTPError"}}
                }
              }
            },
            "schemas": {
              "Body_upload_file_upload__post": {
                "properties": {
                  "file": {
                    "type": "string",
                    "contentMediaType": "application/octet-stream",
                    "format": "binary",
                    "title": "File"
                  }
                },
                "type": "object",
                "required": ["file"],
                "title": "Body_upload_file_upload__post"
              },
              "DenoiseResponse": {
                "properties": {
                  "denoised_embeddings": {
                    "items": {"items": {"type": "number"}, "type": "array"},
                    "type": "array",
                    "title": "Denoised Embeddings",
                    "description": "去噪後的嵌入向量"
                  },
                  "shape": {
                    "items": {"type": "integer"},
                    "type": "array",
                    "title": "Shape",
                    "description": "去噪後嵌入向量的形狀"
                  },
                  "processing_time_ms": {
                    "type": "number",
                    "title": "Processing Time Ms",
                    "description": "處理時間（毫秒）"
                  }
                },
                "type": "object",
                "required": ["denoised_embeddings", "shape", "processing_time_ms"],
                "title": "DenoiseResponse"
              },
              "EmbeddingDenoiseRequest": {
                "properties": {
                  "embeddings": {
                    "items": {"items": {"type": "number"}, "type": "array"},
                    "type": "array",
                    "title": "Embeddings",
                    "description": "要去噪的嵌入向量列表"
                  },
                  "noise_level": {
                    "type": "number",
                    "minimum": 0.0,
                    "title": "Noise Level",
                    "description": "可選參數，如果大於0，先添加噪聲再去噪",
                    "default": 0.0
                  }
                },
                "type": "object",
                "required": ["embeddings"],
                "title": "EmbeddingDenoiseRequest"
              },
              "HTTPError": {
                "properties": {"detail": {"type": "string", "title": "Detail"}},
                "type": "object",
                "required": ["detail"],
                "title": "HTTPError"
              },
              "HTTPValidationError": {
                "properties": {
                  "detail": {
                    "items": {"$ref": "#/components/schemas/ValidationError"},
                    "type": "array",
                    "title": "Detail"
                  }
                },
                "type": "object",
                "title": "HTTPValidationError"
              },
              "TextDenoiseRequest": {
                "properties": {
                  "texts": {
                    "items": {"type": "string"},
                    "type": "array",
                    "title": "Texts",
                    "description": "要去噪的文本列表"
                  },
                  "noise_level": {
                    "type": "number",
                    "minimum": 0.0,
                    "title": "Noise Level",
                    "description": "可選參數，如果大於0，先添加噪聲再去噪",
                    "default": 0.0
                  }
                },
                "type": "object",
                "required": ["texts"],
                "title": "TextDenoiseRequest"
              },
              "ValidationError": {
                "properties": {
                  "loc": {
                    "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                    "type": "array",
                    "title": "Location"
                  },
                  "msg": {"type": "string", "title": "Message"},
                  "type": {"type": "string", "title": "Error Type"},
                  "input": {"title": "Input"},
                  "ctx": {"type": "object", "title": "Context"}
                },
                "type": "object",
                "required": ["loc", "msg", "type"],
                "title": "ValidationError"
              }
            }
          }
        }
        """#
}
