import QtQuick
import QtQuick.Shapes
import Kiosk.ViewModels

Page {
    id: root

    readonly property Item mirrorPlace: place
    required property ScanViewModel viewModel

    heading: viewModel.heading
    lead: viewModel.lead
    pictureHeight: Theme.panelHeight * 0.28

    picture: Item {
        anchors.horizontalCenter: parent.horizontalCenter
        height: parent ? parent.height : 0
        width: root.width - Theme.margin * 2

        Rectangle {
            anchors.fill: parent
            border.color: Theme.hairline
            border.width: Theme.hair
            color: Theme.sand
            radius: Theme.radius
        }

        Item {
            id: place

            anchors.fill: parent
        }

        Shape {
            id: corners

            property real arm: Theme.mm * 9

            anchors.centerIn: parent
            height: parent.height * 0.72
            width: height

            ShapePath {
                capStyle: ShapePath.RoundCap
                fillColor: "transparent"
                joinStyle: ShapePath.RoundJoin
                strokeColor: Theme.scrim
                strokeWidth: Theme.stroke * 3.2

                PathSvg {
                    path: "M0 %1 V0 H%1 M%2 0 H%3 V%1 M%3 %2 V%3 H%2 M%1 %3 H0 V%2".arg(corners.arm).arg(corners.width - corners.arm).arg(corners.width)
                }
            }

            ShapePath {
                capStyle: ShapePath.RoundCap
                fillColor: "transparent"
                joinStyle: ShapePath.RoundJoin
                strokeColor: Theme.veilInk
                strokeWidth: Theme.stroke * 1.6

                PathSvg {
                    path: "M0 %1 V0 H%1 M%2 0 H%3 V%1 M%3 %2 V%3 H%2 M%1 %3 H0 V%2".arg(corners.arm).arg(corners.width - corners.arm).arg(corners.width)
                }
            }
        }
    }

    Column {
        id: notices

        spacing: Theme.gap
        width: parent.width

        Notice {
            objectName: "refusedNotice"
            prominent: true
            warning: true
            width: parent.width
            words: root.viewModel.refused
        }

        Notice {
            objectName: "hintNotice"
            path: Glyphs.phone
            prominent: true
            width: parent.width
            words: root.viewModel.hint
        }
    }

    Item {
        anchors.bottom: caption.top
        anchors.bottomMargin: Theme.gap
        anchors.left: parent.left
        anchors.right: parent.right
        anchors.top: notices.bottom
        anchors.topMargin: Theme.gap

        BreathingRing {
            anchors.centerIn: parent
            height: width
            width: where.width + Theme.gap * 3
        }

        Picture {
            id: where

            anchors.centerIn: parent
            fill: "M78 92 H122 A6 6 0 0 1 128 98 V172 A6 6 0 0 1 122 178 H78 A6 6 0 0 1 72 172 V98 A6 6 0 0 1 78 92 Z M64 22 H136 A4 4 0 0 1 140 26 V48 A4 4 0 0 1 136 52 H64 A4 4 0 0 1 60 48 V26 A4 4 0 0 1 64 22 Z"
            height: width
            solid: "M100 31 A6 6 0 1 1 99.99 31 Z M84 106 H92 V114 H84 Z M108 106 H116 V114 H108 Z M84 130 H92 V138 H84 Z M97 106 H101 V111 H97 Z M97 118 H103 V124 H97 Z M108 120 H112 V124 H108 Z M112 130 H116 V138 H112 Z M100 130 H106 V134 H100 Z M86 119 H92 V123 H86 Z"
            strokes: "M78 92 H122 A6 6 0 0 1 128 98 V172 A6 6 0 0 1 122 178 H78 A6 6 0 0 1 72 172 V98 A6 6 0 0 1 78 92 Z M64 22 H136 A4 4 0 0 1 140 26 V48 A4 4 0 0 1 136 52 H64 A4 4 0 0 1 60 48 V26 A4 4 0 0 1 64 22 Z M128 134 C140 124 148 128 146 138 L138 164 C134 178 128 184 124 192 M72 140 C66 136 62 140 64 146 L70 160"
            thin: "M94 168 H106 M100 60 V64 M100 69 V73 M100 78 V82 M82 60 L76 78 M118 60 L124 78"
            width: Math.min(parent.height - Theme.gap * 3, Theme.mm * 90)
        }
    }

    Column {
        id: caption

        anchors.bottom: parent.bottom
        spacing: Theme.gap
        width: parent.width

        Words {
            color: Theme.muted
            horizontalAlignment: Text.AlignHCenter
            text: root.viewModel.caption
            width: parent.width
        }

        Words {
            font.pixelSize: Theme.lead
            horizontalAlignment: Text.AlignHCenter
            objectName: "noCode"
            text: root.viewModel.noCode
            width: parent.width
        }
    }
}
