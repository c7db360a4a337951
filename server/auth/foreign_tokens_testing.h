// SPDX-License-Identifier: Apache-2.0
// Tokens of the user 42 and the public keys that verify them, made by another implementation (PyJWT). The private keys
// were thrown away.
#pragma once

#include <array>
#include <string_view>

namespace fairlead::server::foreign_tokens {

inline constexpr std::string_view secret = "a secret of at least thirty-two bytes";
inline constexpr std::string_view rsa_key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqajN/V1S7aFk7NLX/F3E\n"
    "FiFTR3Yx4YMkie9/Cm0yTKbSN3k9B3vC5JUUnRXBSCWr0YDkscAaJO69JEnKtm6d\n"
    "2uV/+7Fq2AxJ97vWe4YqNBQq1NkS1u01FT5HlQf/EAbOGiiDgWEaLvnVqBG+Xp/S\n"
    "q/LdW36JQOucVjwSi4F0rUaQ5MZahvKHqtNcOH95pDwme7DH5HdSmHRULMDxJIFD\n"
    "fz1yp2+zDW1K/1Px5/tKbgzPgOxbdBIEf2qXYVr+3rfq/dBbTi/l2UfgJ5/pRWEk\n"
    "FfFPChE6kKV4LNwMNG0kxnXW4EFH+M7ASTzUz0cTb4wzrxteTf7ifK78Sj2QwyVl\n"
    "/QIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
inline constexpr std::string_view p256_key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDMmRbWsjt7s3TEFov4867tQP6roz\n"
    "wM7+vRXYHDB1JsUqzUG0YQl+eoFctUg47pfTezkbljhvwGdkmgyzhqNW+Q==\n"
    "-----END PUBLIC KEY-----\n";
inline constexpr std::string_view p384_key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEjQEjE765ExZbIfRbLsX3o6yO65J6TewR\n"
    "S9Tg61rl+pz4B2mxsYtd9OTv8YRHMxJARRX2rZ7ceKFTLHI0p3kdiNYhvXYlU+ih\n"
    "X/kuM1ChOXDut9KZWP6iGmHYKOcYj6EQ\n"
    "-----END PUBLIC KEY-----\n";
inline constexpr std::string_view p521_key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQA8iJWk1GEdsClEYVpNKZbs6EcDMQ5\n"
    "xg2+ELRHnyieyuq9C3r5EGgJUzDSIe+dIDOQw5NHRrI+41aHcza6Q5O/qCYB56Ku\n"
    "HkwzP031LFV3eI5kg07Zom9bpgQ1RFFg2TYj5//RjkYL7EM85w05M7078GbdjX1l\n"
    "17ObiaufAqXGlHAp7A4=\n"
    "-----END PUBLIC KEY-----\n";
inline constexpr std::string_view ed25519_key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAs9N5CYO//QQqsKbJg1ZM7IocklOV/2UcmO/YguOj/Kw=\n"
    "-----END PUBLIC KEY-----\n";
inline constexpr std::string_view hs256 =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiJ9.rcV24y6ecqCblMo6L9ey3UuSzVgo05vzCq-N7M-cyBA";
inline constexpr std::string_view hs384 =
    "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiJ9.i4lOhSKNm5FjUA-GNq9Cu4T1qNpwYZTcP-HaZlKRioOax9aVIPa_uW0R"
    "4Mrz9VfA";
inline constexpr std::string_view hs512 =
    "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiJ9.7LYe6F-FnUtfMrKjni9WytwluasPVNSWF_mSiLNpzYH9dvBcrP9EG8Un"
    "yt5SkMEJwNMBNCb_TS7yDRh8mzgx1A";
inline constexpr std::string_view rs256 =
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiJ9.TbC5_rU_3h4MFAqMDul9hcH1jikffO0uL89c1T__fZYxS4SkOyp-eMxE"
    "RqiKA8gIGmoSD-riyHrcbjTTX5rIDfymF4lBoH3J6E7sY_56cYpjfzKCr4n4PtuHgeJxXaEEbILw6VyIOHIeZyoW1CFcMNmH8WXxmWY0O5YyEU"
    "Gq5dTT7a7AbHyxXnjcHrrRSZNENQb6p3bBIbvzYhHXxT4rhUaXUcuCPOruGHuQf-TZ_27pShLkb7aMit16lVdRxPSsu7LqTwgdsK-miSGyQdZG"
    "x9vgiOa1V3VsQXcuR0rXxSTyN7cI0Bpw6AZB82b5sV0xkTYwt3kPrkjRrHqrhM1I4w";
inline constexpr std::string_view rs384 =
    "eyJhbGciOiJSUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiJ9.nwp7JKlJhrE5qeRIDC0GPo1I1VrP8CMckZerNR9YYYkOc_A8NgWbZSep"
    "PuThhw0bzu3KDYNtry3G7xoFavCHcg1KvGHWmw8kI8xIhHlKwIuqX4Wvv1AT5S7SEmgROsoLaaA1dS5BPfQOv30eyDaMwZ40ULog23QWlPhIMn"
    "ZRitEpjbAfKqlWWrP6blijqdqHPFCHuDT-mjVN6ejB_r9FNbWtq6qRt67VHBprMsUBktI3KNfcYIKulC5KBhVpoxhBpEnYWpwmnNQPdqJqg4Uj"
    "Nya1mYY0GdmggkStmHIjvdQTM8Kj52jPBKE38i33YZ1RoSAR9JXUjwJaZn3PtfYdYw";
inline constexpr std::string_view rs512 =
    "eyJhbGciOiJSUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiJ9.UZDdWjU7n_VTCx8PKDPWpnXe_1YnnQY2D1uKJRzTf8kjKinJZuhBOo0W"
    "193UkPHz2nUOqK6imoZK8SkjBUoVyqQyjvdHctj1UOKOEh8f1wOIiL-RZi5QvNuSTyP1HT09H5kWGeC7HCk944IIERIg3mu1LiTm3ZwSemJrm0"
    "E_1vQtDD2VmuTD997ZsSh3jj9qQ0Mws9VkBA4r1OMTVppfY3dFYhGJcWEKIjN5F1Kwrxaob55Kpifl7om3NAP12ucRGCiai-F5VtV58kcC5CKc"
    "P31653gryx1M238IaK6kHSAYNuNNTJ8EJtpGdBL5QRZAVUSXIUkaFzQRcCvzBiF1sA";
inline constexpr std::string_view es256 =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiJ9.H-GU1rKX0yadXC-jRAScwT-FHVl8l0JVt6zZnHOhhhDWdjvcRYfGUMiv"
    "jWZUxmHmn4JlGnazABjJJjLYao2sUA";
inline constexpr std::string_view es384 =
    "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiJ9.LMsNF7JzI2zCAwXbvhfaytIOoQ0rRavQzNuHLuVJGaLG9LgqJKDcOtJh"
    "WFiinT46a9H9ovUGUVwi2mkVz3_nfUU7Jk6kY6li2jFEhsJh9KFQDRC87SZpHSLzUnKK6iwh";
inline constexpr std::string_view es512 =
    "eyJhbGciOiJFUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiJ9.ARMWRxffsD7mt3gD0f9al6s4cHSTfiFU6km8dgUHPKOZXO6mpQkm_MTY"
    "p3dCaV7IvAjVxl-tp6xIHMZnqBkBlLQUATAaKDgB4nss5zG7NzfpfVZafAOHxPyNCmcnhh8p1MhKnuf1mbo8_S4XB8G6V52we_-mYmIgF7ELLL"
    "UkNGpLKeQX";
inline constexpr std::string_view eddsa =
    "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiJ9.dDcqFonmFF1-cYXdfA0ZSGMSkd9NoJhsmHkd0eAqcH9iafBPVn1olfq7"
    "mKOc6YS0iJ9pN6OK6MF2OtCeT-rNBw";

}  // namespace fairlead::server::foreign_tokens
